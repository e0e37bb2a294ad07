/** Events of the orders service. Each is written in the batch of its transition. */
import type { OrderEventData } from "./event-contracts";
import type { Order } from "./model";
import type { OrderStatus } from "./order-status";

export const ORDERS_SOURCE = "/meridian/orders";

/** Versions of `data`. */
export const orderEvents = {
  "order.placed": { version: 1 },
  "order.paid": { version: 1 },
  "order.shipped": { version: 1 },
  "order.delivered": { version: 1 },
  "order.cancelled": { version: 1 },
  "order.refunded": { version: 1 },
} as const;

export type OrderEventType = keyof typeof orderEvents;

/** The event of entering a status. */
export function eventTypeOf(status: OrderStatus): OrderEventType {
  return status === "pending" ? "order.placed" : `order.${status}`;
}

export function eventDataOf({ id, userId, status, currency, totalMinor }: Order): OrderEventData {
  return { orderId: id, userId, status, currency, totalMinor };
}
