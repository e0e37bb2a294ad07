/** The table of attempts that are counted in their own batch. Only `platform/attempt-counts` imports it. */
import { integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** One row for each key and bucket of time in which it was charged. */
export const attemptCounts = sqliteTable(
  "attempt_counts",
  {
    /** In order of time, which the sweep goes by: an index for it would be one more row a charge. */
    id: integer("id").primaryKey(),
    /** HMAC over the budget and the address: the row tells nobody whose it is. */
    key: text("key").notNull(),
    /** Epoch milliseconds of the database's clock. The row counts until a whole window later. */
    bucketEndsAt: integer("bucket_ends_at").notNull(),
    count: integer("count").notNull(),
    /** The last charge: what follows in its batch is guarded on it. */
    lastChargeId: text("last_charge_id").notNull(),
  },
  (table) => [uniqueIndex("attempt_counts_bucket").on(table.key, table.bucketEndsAt)],
);
