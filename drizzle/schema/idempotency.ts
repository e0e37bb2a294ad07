/** The table of `Idempotency-Key`. Only `platform/idempotency` imports it. */
import { sql } from "drizzle-orm";
import { check, index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * One row a key in use.
 *
 * ```
 *   (none) --claim--> claimed --effect's own batch--> done --24 h--> (none)
 *     ^                 |  ^
 *     +----refused------+  +--lease lapsed: claimed anew by another attempt
 * ```
 */
export const idempotencyRecords = sqliteTable(
  "idempotency_records",
  {
    /** HMAC over caller, method, route and key: the row tells nobody whose it is. */
    id: text("id").primaryKey(),
    /** HMAC of the request, which may hold a password. */
    fingerprint: text("fingerprint").notNull(),
    state: text("state", { enum: ["claimed", "done"] }).notNull(),
    /** The attempt that may commit. */
    claimToken: text("claim_token").notNull(),
    /** Until when other attempts wait for it. */
    leasedUntil: integer("leased_until").notNull(),
    status: integer("status"),
    /** JSON: the headers that matter. */
    headers: text("headers"),
    /** AES-GCM, base64url; null for an answer without a body. */
    body: text("body"),
    expiresAt: integer("expires_at").notNull(),
  },
  (table) => [
    index("idempotency_records_expiry").on(table.expiresAt),
    // An attempt that lost its claim violates this, and its whole batch with it: see platform/idempotency.
    check("idempotency_records_state_known", sql`${table.state} in ('claimed', 'done')`),
  ],
);
