/** Tables of the operations service: limits of clients, and sign-ups by day. */
import { sql } from "drizzle-orm";
import { check, index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Numbers that many clients share. */
export const limitPlans = sqliteTable("limit_plans", {
  name: text("name").primaryKey(),
  limit: integer("limit_max").notNull(),
  windowSeconds: integer("window_seconds").notNull(),
  /** Counts without refusing. */
  isShadow: integer("is_shadow", { mode: "boolean" }).notNull(),
  /** The last change that wrote the row. The other statements of its batch are guarded on it. */
  lastChangeId: text("last_change_id").notNull(),
});

/** Clients who do not have the policy's numbers: a plan's, or their own. The client's object holds a copy. */
export const limitOverrides = sqliteTable(
  "limit_overrides",
  {
    /** The client's key: `user:<id>`, `ip:<address or network>`, `unknown`. */
    client: text("client").primaryKey(),
    plan: text("plan"),
    limit: integer("limit_max"),
    windowSeconds: integer("window_seconds"),
    isShadow: integer("is_shadow", { mode: "boolean" }),
    /** As in `limit_plans`. */
    lastChangeId: text("last_change_id").notNull(),
  },
  (table) => [
    index("limit_overrides_plan").on(table.plan, table.client),
    check(
      "limit_overrides_either",
      sql`(${table.plan} is null) = (${table.limit} is not null and ${table.windowSeconds} is not null and ${table.isShadow} is not null)`,
    ),
  ],
);

/** Sign-ups by UTC day. */
export const dailySignups = sqliteTable("daily_signups", {
  /** `YYYY-MM-DD` */
  day: text("day").primaryKey(),
  count: integer("count").notNull(),
});
