/** Tables of the auth service, each imported only by its own repository there. */
import { sql } from "drizzle-orm";
import { check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** A login and all that was refreshed from it. Ended ones stay until retention, so that a reuse is still recognised. */
export const sessions = sqliteTable(
  "sessions",
  {
    /** The `sid` of its access tokens. */
    id: text("id").primaryKey(),
    userId: text("user_id").notNull(),
    /** Browser and system out of the user agent, for its owner to recognise. */
    device: text("device").notNull(),
    /** City and country as the edge saw them; never an IP address. */
    location: text("location"),
    createdAt: integer("created_at").notNull(),
    lastSeenAt: integer("last_seen_at").notNull(),
    /** Absolute: refreshing does not move it. */
    expiresAt: integer("expires_at").notNull(),
    endedAt: integer("ended_at"),
    endReason: text("end_reason", {
      enum: ["logout", "revoked", "logout_all", "password_changed", "password_reset", "reuse", "replaced"],
    }),
    /** The event that ended it: what follows in its batch is guarded on it. */
    endEventId: text("end_event_id"),
  },
  (table) => [
    index("sessions_user").on(table.userId, table.createdAt),
    index("sessions_expiry").on(table.expiresAt),
    check("sessions_end_whole", sql`(${table.endedAt} is null) = (${table.endReason} is null)`),
  ],
);

/** The chain of a session's refresh tokens. One is unused: the chain's end. */
export const refreshTokens = sqliteTable(
  "refresh_tokens",
  {
    /** SHA-256, base64url. */
    digest: text("digest").primaryKey(),
    /** No foreign key: a rebuild of `sessions` by a migration would cascade here and log everybody out. */
    sessionId: text("session_id").notNull(),
    createdAt: integer("created_at").notNull(),
    /** When it was first exchanged for its successor. */
    usedAt: integer("used_at"),
  },
  (table) => [index("refresh_tokens_session").on(table.sessionId)],
);

/** Tokens out of mails. The token is derived from `id` under `DATA_KEY`; here lies only its digest. */
export const oneTimeTokens = sqliteTable(
  "one_time_tokens",
  {
    /** The event that asked for it: asked again, it is the same token. */
    id: text("id").primaryKey(),
    digest: text("digest").notNull(),
    userId: text("user_id").notNull(),
    purpose: text("purpose", { enum: ["password_reset", "email_verification", "email_change"] }).notNull(),
    /** The address it was mailed to, in lower case: it proves that one and no other. */
    addressKey: text("address_key").notNull(),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
    usedAt: integer("used_at"),
    /** The event of its use: what follows in its batch is guarded on it. */
    useEventId: text("use_event_id"),
  },
  (table) => [
    uniqueIndex("one_time_tokens_digest").on(table.digest),
    index("one_time_tokens_user").on(table.userId, table.purpose, table.createdAt),
    index("one_time_tokens_expiry").on(table.expiresAt),
    check(
      "one_time_tokens_purpose_known",
      sql`${table.purpose} in ('password_reset', 'email_verification', 'email_change')`,
    ),
  ],
);

/** Whom a trusted issuer's subject is here. */
export const foreignIdentities = sqliteTable(
  "foreign_identities",
  {
    issuer: text("issuer").notNull(),
    subject: text("subject").notNull(),
    userId: text("user_id").notNull(),
    createdAt: integer("created_at").notNull(),
    /** Epoch seconds: tokens issued at or before are void. */
    revokedThrough: integer("revoked_through").notNull().default(0),
    /** When its user was deleted: kept until no token of it can be alive, so that none of them makes a user again. */
    orphanedAt: integer("orphaned_at"),
  },
  (table) => [
    primaryKey({ columns: [table.issuer, table.subject] }),
    index("foreign_identities_user").on(table.userId),
    index("foreign_identities_orphaned").on(table.orphanedAt).where(sql`orphaned_at is not null`),
  ],
);
