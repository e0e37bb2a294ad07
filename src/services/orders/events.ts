/** Events of the orders service. Each is written in the batch of its transition. */
import * as z from "../../kernel/schema";
import type { Order } from "./model";
import { ORDER_STATUSES, type OrderStatus } from "./order-status";

export const ORDERS_SOURCE = "/meridian/orders";

const order = z.strictObject({
  orderId: z.uuid(),
  userId: z.nullable(z.uuid()),
  status: z.enum(ORDER_STATUSES),
  currency: z.string(),
  totalMinor: z.int(),
});

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

export function eventDataOf({ id, userId, status, currency, totalMinor }: Order): z.infer<typeof order> {
  return { orderId: id, userId, status, currency, totalMinor };
}

/** What `data` is, for readers: no part of the running Worker. */
export const orderEventContracts = {
  "order.placed": { data: order, summary: "An order was placed; its stock is taken." },
  "order.paid": { data: order, summary: "An order was paid." },
  "order.shipped": { data: order, summary: "An order left the house." },
  "order.delivered": { data: order, summary: "An order arrived." },
  "order.cancelled": { data: order, summary: "An order was cancelled or expired; its stock is back." },
  "order.refunded": { data: order, summary: "An order's money was given back." },
} as const;
