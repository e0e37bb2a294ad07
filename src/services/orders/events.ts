/** Events of the orders service. Each is written in the batch of its transition. */
import type { Order, OrderEventData } from "./schemas";

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

/** The event of an order that has entered its status. */
export function orderEvent({ id, userId, status, currency, totalMinor }: Order) {
  const type: OrderEventType = status === "pending" ? "order.placed" : `order.${status}`;
  const data: OrderEventData = { orderId: id, userId, status, currency, totalMinor };
  return { type, source: ORDERS_SOURCE, subject: id, version: orderEvents[type].version, data };
}
