import { type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";

/**
 * Returns the condition that a column has one of these values; of none, no row fulfils it. However many they are, they
 * take one bound parameter, because a statement of D1 has room for 100.
 */
export function isOneOf(column: SQLiteColumn, values: readonly string[]): SQL {
  return sql`${column} in (select value from json_each(${JSON.stringify(values)}))`;
}
