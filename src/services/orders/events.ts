/** Events of the orders service. Each is written in the batch of its transition. */
import { onFirstCall } from "../../kernel/on-first-call";
import * as z from "../../kernel/schema";
import type { Order } from "./model";
import { ORDER_STATUSES, type OrderStatus } from "./order-status";

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

const orderData = onFirstCall(() =>
  z.strictObject({
    orderId: z.uuid(),
    userId: z.nullable(z.uuid()),
    status: z.enum(ORDER_STATUSES),
    currency: z.string(),
    totalMinor: z.int(),
  }),
);
export type OrderEventData = z.Model<typeof orderData>;

/** Schemas of `data`. */
export const orderEventData = {
  "order.placed": orderData,
  "order.paid": orderData,
  "order.shipped": orderData,
  "order.delivered": orderData,
  "order.cancelled": orderData,
  "order.refunded": orderData,
} as const;

/** The event of entering a status. */
export function eventTypeOf(status: OrderStatus): OrderEventType {
  return status === "pending" ? "order.placed" : `order.${status}`;
}

export function eventDataOf({ id, userId, status, currency, totalMinor }: Order): OrderEventData {
  return { orderId: id, userId, status, currency, totalMinor };
}
