/** The order as every protocol shows it. */
import type { OrderStatus } from "./order-status";

/** What was bought, at the price of the moment. */
export interface OrderItem {
  readonly productId: string;
  readonly sku: string;
  readonly name: string;
  readonly unitPriceMinor: number;
  readonly quantity: number;
  readonly lineTotalMinor: number;
}

export interface Order {
  readonly id: string;
  /** Null once the user is deleted. */
  readonly userId: string | null;
  readonly status: OrderStatus;
  /** ISO 4217, the same for all items. */
  readonly currency: string;
  readonly totalMinor: number;
  readonly items: readonly OrderItem[];
  /** From 1; its entity tag. */
  readonly version: number;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface OrderHistoryEntry {
  readonly status: OrderStatus;
  readonly at: string;
  /** `user:<id>`, `user:deleted` or `system:<name>`. */
  readonly actor: string;
}
