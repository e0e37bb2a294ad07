/**
 * The states of an order: one pure table, which services decide by and the SQL enforces.
 *
 * ```
 * pending --> paid --> shipped --> delivered
 *    |         | |        |            |
 *    |         | +--------+------------+--> refunded
 *    +---------+--> cancelled   (returns the stock)
 * ```
 */

export const ORDER_STATUSES = ["pending", "paid", "shipped", "delivered", "cancelled", "refunded"] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

const NEXT: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  pending: ["paid", "cancelled"],
  paid: ["shipped", "cancelled", "refunded"],
  shipped: ["delivered", "refunded"],
  delivered: ["refunded"],
  cancelled: [],
  refunded: [],
};

/** Statuses that the owner may set; an administrator may set all. */
const OWNERS_STATUSES: readonly OrderStatus[] = ["cancelled"];
/** The owner may set them only from here: what is paid, an administrator cancels. */
const OWNERS_SOURCES: readonly OrderStatus[] = ["pending"];

export function isTransition(from: OrderStatus, to: OrderStatus): boolean {
  return NEXT[from].includes(to);
}

export function isSettableByOwner(to: OrderStatus): boolean {
  return OWNERS_STATUSES.includes(to);
}

export function isOwnersTransition(from: OrderStatus, to: OrderStatus): boolean {
  return isTransition(from, to) && isSettableByOwner(to) && OWNERS_SOURCES.includes(from);
}

/** Only what has not left the house comes back into stock; what is refunded may be broken, or still on its way. */
export function returnsStock(to: OrderStatus): boolean {
  return to === "cancelled";
}
