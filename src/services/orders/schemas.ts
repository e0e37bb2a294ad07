/** What the orders service takes and answers, the same for every protocol. Unknown fields of an input are refused. */

import { onFirstCall } from "../../kernel/on-first-call";
import * as output from "../../kernel/output-fields";
import { instantSchema, pageSchema } from "../../kernel/paging";
import * as z from "../../kernel/schema";
import { ORDER_STATUSES } from "./order-status";

const ITEMS_MAX = 50;
const QUANTITY_MAX = 1_000;

/** Upper case is read as lower case, as RFC 9562 asks. */
const id = onFirstCall(() =>
  z
    .pipe(z.string().check(z.maxLength(36, "Must be a UUID."), z.toLowerCase()), z.uuid("Must be a UUID."))
    .check(z.meta({ format: "uuid" })),
);

const item = () =>
  z.strictObject({
    productId: id(),
    quantity: z
      .int("Must be a whole number.")
      .check(
        z.minimum(1, "Must be at least 1."),
        z.maximum(QUANTITY_MAX, `Must be at most ${QUANTITY_MAX}.`),
      ),
  });

/** No price: that is the database's to say. */
export const placeOrderSchema = onFirstCall(() =>
  z.strictObject({
    items: z.array(item()).check(
      z.minLength(1, "Must have at least 1 item."),
      z.maxLength(ITEMS_MAX, `Must have at most ${ITEMS_MAX} items.`),
      z.superRefine((items, context) => {
        const seen = new Set<string>();
        for (const [index, { productId }] of items.entries()) {
          if (seen.has(productId)) {
            context.addIssue({
              code: "custom",
              path: [index, "productId"],
              message: "This product is on an earlier line. Add the quantities up.",
              params: { code: "duplicate_product" },
            });
          }
          seen.add(productId);
        }
      }),
    ),
  }),
);
export type PlaceOrderInput = z.Made<typeof placeOrderSchema>;

export const changeOrderStatusSchema = onFirstCall(() => z.strictObject({ status: z.enum(ORDER_STATUSES) }));
export type ChangeOrderStatusInput = z.Made<typeof changeOrderStatusSchema>;

/** Newest first. */
export const listOrdersSchema = onFirstCall(() =>
  z.extend(pageSchema(), {
    /** Another's only by an administrator. */
    userId: z.optional(id()),
    status: z.optional(z.enum(ORDER_STATUSES)),
    createdAfter: z.optional(instantSchema()),
    createdBefore: z.optional(instantSchema()),
  }),
);
export type ListOrdersQuery = z.Made<typeof listOrdersSchema>;

/** What was bought, at the price of the moment. */
export const orderItemSchema = onFirstCall(() =>
  z.strictObject({
    productId: output.id(),
    sku: output.text(64),
    name: output.text(200),
    unitPriceMinor: output.count(),
    quantity: z.int().check(z.minimum(1), z.maximum(QUANTITY_MAX)),
    lineTotalMinor: output.count(),
  }),
);
export type OrderItem = z.Model<typeof orderItemSchema>;

export const orderSchema = onFirstCall(() =>
  z.strictObject({
    id: output.id(),
    userId: z.nullable(output.id()).check(z.describe("Null once the user is deleted.")),
    status: z.enum(ORDER_STATUSES),
    currency: output.currency(),
    totalMinor: output.count().check(z.describe("Minor units of `currency`.")),
    items: z.array(orderItemSchema()).check(z.minLength(1), z.maxLength(ITEMS_MAX)),
    version: output.version(),
    createdAt: output.time(),
    updatedAt: output.time(),
  }),
);
export type Order = z.Model<typeof orderSchema>;

export const orderHistoryEntrySchema = onFirstCall(() =>
  z.strictObject({
    status: z.enum(ORDER_STATUSES),
    at: output.time(),
    actor: output.text(100).check(z.describe("`user:<id>`, `user:deleted` or `system:<name>`.")),
  }),
);
export type OrderHistoryEntry = z.Model<typeof orderHistoryEntrySchema>;

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

/** Schemas of the events' `data`. */
export const orderEventData = {
  "order.placed": orderData,
  "order.paid": orderData,
  "order.shipped": orderData,
  "order.delivered": orderData,
  "order.cancelled": orderData,
  "order.refunded": orderData,
} as const;
