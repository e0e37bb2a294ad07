/** Products and orders. */
import * as z from "zod";
import {
  ORDER_STATUSES,
  type Order,
  type OrderHistoryEntry,
  type OrderItem,
  type Product,
} from "../../../src/services/orders";
import { count, currency, id, model, text, time, version } from "./fields";

export const product = model<Product>()({
  id,
  sku: text(64),
  name: text(200),
  priceMinor: count.describe("Minor units of `currency`."),
  currency,
  stock: count.describe("Pieces that can be ordered now."),
  version,
  createdAt: time,
  updatedAt: time,
});

export const orderItem = model<OrderItem>()({
  productId: id,
  sku: text(64),
  name: text(200),
  unitPriceMinor: count,
  quantity: z.int().min(1).max(1_000),
  lineTotalMinor: count,
});

export const order = model<Order>()({
  id,
  userId: id.nullable().describe("Null once the user is deleted."),
  status: z.enum(ORDER_STATUSES),
  currency,
  totalMinor: count.describe("Minor units of `currency`."),
  items: z.array(orderItem).min(1).max(50),
  version,
  createdAt: time,
  updatedAt: time,
});

export const orderHistoryEntry = model<OrderHistoryEntry>()({
  status: z.enum(ORDER_STATUSES),
  at: time,
  actor: text(100).describe("`user:<id>`, `user:deleted` or `system:<name>`."),
});
