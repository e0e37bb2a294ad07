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
    /** HMAC over caller, use case, target and key: the row does not show whose it is. */
    id: text("id").primaryKey(),
    /** HMAC over the protocol, the version of what is recorded, and the input, which may hold a password. */
    fingerprint: text("fingerprint").notNull(),
    state: text("state", { enum: ["claimed", "done"] }).notNull(),
    /** The attempt that may commit. */
    claimToken: text("claim_token").notNull(),
    /** Until when other attempts wait for it. */
    leasedUntil: integer("leased_until").notNull(),
    /** The use case's answer as JSON, encrypted (AES-GCM, base64url); null until there is one. */
    answer: text("answer"),
    expiresAt: integer("expires_at").notNull(),
  },
  (table) => [
    index("idempotency_records_expiry").on(table.expiresAt),
    // An attempt that lost its claim violates this, and its whole batch with it: see platform/idempotency.
    check("idempotency_records_state_known", sql`${table.state} in ('claimed', 'done')`),
  ],
);
