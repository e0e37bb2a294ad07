/** Input rules of orders, the same for every protocol. Unknown fields are refused. */
import * as z from "zod";
import { instantSchema, pageSchema } from "../../kernel/paging";
import { ORDER_STATUSES } from "./order-status";

const ITEMS_MAX = 50;
const QUANTITY_MAX = 1_000;

/** Upper case is read as lower case, as RFC 9562 asks. */
const id = z
  .string()
  .max(36, "Must be a UUID.")
  .toLowerCase()
  .pipe(z.uuid("Must be a UUID."))
  .meta({ format: "uuid" });

const item = z.strictObject({
  productId: id,
  quantity: z
    .int("Must be a whole number.")
    .min(1, "Must be at least 1.")
    .max(QUANTITY_MAX, `Must be at most ${QUANTITY_MAX}.`),
});

/** No price: that is the database's to say. */
export const placeOrderSchema = z.strictObject({
  items: z
    .array(item)
    .min(1, "Must have at least 1 item.")
    .max(ITEMS_MAX, `Must have at most ${ITEMS_MAX} items.`)
    .superRefine((items, context) => {
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
});
export type PlaceOrderInput = z.infer<typeof placeOrderSchema>;

export const changeOrderStatusSchema = z.strictObject({ status: z.enum(ORDER_STATUSES) });
export type ChangeOrderStatusInput = z.infer<typeof changeOrderStatusSchema>;

/** Newest first. */
export const listOrdersSchema = pageSchema.extend({
  /** Another's only by an administrator. */
  userId: id.optional(),
  status: z.enum(ORDER_STATUSES).optional(),
  createdAfter: instantSchema.optional(),
  createdBefore: instantSchema.optional(),
});
export type ListOrdersQuery = z.infer<typeof listOrdersSchema>;
