/** The product as every protocol shows it, to everybody. */
export interface Product {
  readonly id: string;
  readonly sku: string;
  readonly name: string;
  /** Minor units of `currency`. */
  readonly priceMinor: number;
  /** ISO 4217 */
  readonly currency: string;
  /** Pieces that can be ordered now. */
  readonly stock: number;
  /** From 1; its entity tag. Sales raise it too. */
  readonly version: number;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  readonly updatedAt: string;
}
