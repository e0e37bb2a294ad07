/** Tables of the orders service. Only its repositories import them. */
import { sql } from "drizzle-orm";
import { check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

export const products = sqliteTable(
  "products",
  {
    id: text("id").primaryKey(),
    sku: text("sku").notNull(),
    name: text("name").notNull(),
    /** Minor units of `currency`. */
    priceMinor: integer("price_minor").notNull(),
    /** ISO 4217 */
    currency: text("currency").notNull(),
    stock: integer("stock").notNull(),
    /** Rises with every change, a sale's included: the entity tag covers the stock. */
    version: integer("version").notNull(),
    /** The last change by an admin: what follows in its batch is guarded on it. */
    lastChangeId: text("last_change_id").notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [
    uniqueIndex("products_sku_key").on(table.sku),
    index("products_created_at").on(table.createdAt, table.id),
    check("products_stock_not_negative", sql`${table.stock} >= 0`),
    check("products_price_range", sql`${table.priceMinor} between 0 and 100000000000`),
  ],
);

export const orders = sqliteTable(
  "orders",
  {
    id: text("id").primaryKey(),
    /** Null once the user is deleted: the books keep the order, without the person. */
    userId: text("user_id"),
    status: text("status", {
      enum: ["pending", "paid", "shipped", "delivered", "cancelled", "refunded"],
    }).notNull(),
    currency: text("currency").notNull(),
    totalMinor: integer("total_minor").notNull(),
    version: integer("version").notNull(),
    /** The event of the last transition: what follows in its batch is guarded on it. */
    lastChangeId: text("last_change_id").notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [
    index("orders_created_at").on(table.createdAt, table.id),
    index("orders_user").on(table.userId, table.createdAt, table.id),
    index("orders_status").on(table.status, table.createdAt, table.id),
    // Without it a user's own pending orders are looked for among everybody's: SQLite takes an equality for selective.
    index("orders_user_status").on(table.userId, table.status, table.createdAt, table.id),
    check(
      "orders_status_known",
      sql`${table.status} in ('pending', 'paid', 'shipped', 'delivered', 'cancelled', 'refunded')`,
    ),
    check("orders_total_not_negative", sql`${table.totalMinor} >= 0`),
  ],
);

/** What was bought, as it was when it was bought. No reference to `products`: those may change and go. */
export const orderLines = sqliteTable(
  "order_lines",
  {
    orderId: text("order_id")
      .notNull()
      .references(() => orders.id),
    /** From 0, in the order of the request. */
    position: integer("position").notNull(),
    productId: text("product_id").notNull(),
    sku: text("sku").notNull(),
    name: text("name").notNull(),
    unitPriceMinor: integer("unit_price_minor").notNull(),
    quantity: integer("quantity").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.orderId, table.position] }),
    check("order_lines_quantity_range", sql`${table.quantity} between 1 and 1000`),
    check("order_lines_price_not_negative", sql`${table.unitPriceMinor} >= 0`),
  ],
);

/** One row a status that the order entered. */
export const orderHistory = sqliteTable(
  "order_history",
  {
    orderId: text("order_id")
      .notNull()
      .references(() => orders.id),
    /** The order's version after the transition. */
    version: integer("version").notNull(),
    status: text("status", {
      enum: ["pending", "paid", "shipped", "delivered", "cancelled", "refunded"],
    }).notNull(),
    at: integer("at").notNull(),
    /** `user:<id>`, `user:deleted` or `system:<name>`. */
    actor: text("actor").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.orderId, table.version] }),
    index("order_history_actor").on(table.actor),
  ],
);
