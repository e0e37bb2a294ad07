/** The shape of `data` in each event of the orders service, for documents, types and tests. The running Worker never loads it. */
import * as z from "../../kernel/schema";
import { ORDER_STATUSES } from "./order-status";

const orderEventData = z.strictObject({
  orderId: z.uuid(),
  userId: z.nullable(z.uuid()),
  status: z.enum(ORDER_STATUSES),
  currency: z.string(),
  totalMinor: z.int(),
});
export type OrderEventData = z.infer<typeof orderEventData>;

export const orderEventContracts = {
  "order.placed": { data: orderEventData, summary: "An order was placed; its stock is taken." },
  "order.paid": { data: orderEventData, summary: "An order was paid." },
  "order.shipped": { data: orderEventData, summary: "An order left the house." },
  "order.delivered": { data: orderEventData, summary: "An order arrived." },
  "order.cancelled": {
    data: orderEventData,
    summary: "An order was cancelled or expired; its stock is back.",
  },
  "order.refunded": { data: orderEventData, summary: "An order's money was given back." },
} as const;
