/** What an order's entering a status writes, guarded on the order as it was read. */
import type { Actor } from "../../kernel/actor";
import { toTimestamp } from "../../kernel/clock";
import type { Statement } from "../../platform/database";
import type { PendingMark } from "../../platform/mark";
import { type OrderStatus, returnsStock } from "./order-status";
import type { ProductRepository } from "./products/repository";
import { ORDERS, type OrderRepository } from "./repository";
import type { Order } from "./schemas";

interface Writers {
  readonly repository: OrderRepository;
  readonly products: ProductRepository;
}

export interface Transition {
  /** The order as it will be. */
  readonly next: Order;
  /** Status, history and, when it is cancelled, the stock. */
  readonly writes: readonly Statement[];
}

export function transition(
  on: Writers,
  order: Order,
  to: OrderStatus,
  actor: Actor,
  mark: PendingMark,
): Transition {
  const next = { ...order, status: to, version: order.version + 1, updatedAt: toTimestamp(mark.at) };
  const stock = returnsStock(to)
    ? [on.products.returnStock(order.items, mark.at, ORDERS.isMarkedBy(mark))]
    : [];
  return { next, writes: [...on.repository.update(next, mark, actor), ...stock] };
}
