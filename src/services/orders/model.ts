/** The order as every protocol shows it. */
import type * as z from "../../kernel/schema";
import type { orderHistoryEntrySchema, orderItemSchema, orderSchema } from "./schemas";

/** What was bought, at the price of the moment. */
export type OrderItem = z.Model<typeof orderItemSchema>;
export type Order = z.Model<typeof orderSchema>;
export type OrderHistoryEntry = z.Model<typeof orderHistoryEntrySchema>;
