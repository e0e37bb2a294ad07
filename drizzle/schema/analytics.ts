/** Tables of the analytics consumer. */
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Sign-ups by UTC day. */
export const dailySignups = sqliteTable("daily_signups", {
  /** `YYYY-MM-DD` */
  day: text("day").primaryKey(),
  count: integer("count").notNull(),
});
