/** Tables of the webhooks service. Only `services/webhooks/repository.ts` imports them. */
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const webhookEndpoints = sqliteTable(
  "webhook_endpoints",
  {
    id: text("id").primaryKey(),
    url: text("url").notNull(),
    /** JSON array of event types; `*` is all. */
    types: text("types").notNull(),
    isEnabled: integer("is_enabled", { mode: "boolean" }).notNull(),
    /** Encrypted under `DATA_KEY`. */
    secret: text("secret").notNull(),
    /** The secret before the last rotation, encrypted; signs too until it expires. */
    previousSecret: text("previous_secret"),
    previousExpiresAt: integer("previous_expires_at"),
    /** Since when no delivery has succeeded; null while they do. */
    failingSince: integer("failing_since"),
    /** The last change that wrote the row, less its health. The other statements of its batch are guarded on it. */
    lastChangeId: text("last_change_id").notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [index("webhook_endpoints_created_at").on(table.createdAt, table.id)],
);

/** The delivery log: one row an attempt. */
export const webhookAttempts = sqliteTable(
  "webhook_attempts",
  {
    id: integer("id").primaryKey({ autoIncrement: true }),
    endpointId: text("endpoint_id").notNull(),
    eventId: text("event_id").notNull(),
    type: text("type").notNull(),
    attempt: integer("attempt").notNull(),
    /** Null when no answer came. */
    statusCode: integer("status_code"),
    /** What went wrong; null after a 2xx. */
    error: text("error"),
    durationMs: integer("duration_ms").notNull(),
    at: integer("at").notNull(),
  },
  (table) => [
    index("webhook_attempts_endpoint").on(table.endpointId, table.id),
    index("webhook_attempts_at").on(table.at),
  ],
);
