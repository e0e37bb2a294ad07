/**
 * Tables of the outbox: the log of events, what each consumer did with them, and what was given up. Only
 * `platform/outbox` imports them.
 */
import { sql } from "drizzle-orm";
import { check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** The event log. One row is one change; it is written in the change's own batch. */
export const outboxEvents = sqliteTable(
  "outbox_events",
  {
    /** Ascends in order of commit: D1 has one writer. */
    sequence: integer("sequence").primaryKey({ autoIncrement: true }),
    id: text("id").notNull(),
    type: text("type").notNull(),
    source: text("source").notNull(),
    subject: text("subject").notNull(),
    schemaVersion: integer("schema_version").notNull(),
    /** JSON of the envelope's `data`. */
    data: text("data").notNull(),
    traceparent: text("traceparent"),
    committedAt: integer("committed_at").notNull(),
  },
  (table) => [
    uniqueIndex("outbox_events_id").on(table.id),
    index("outbox_events_type").on(table.type, table.sequence),
    index("outbox_events_subject").on(table.subject, table.sequence),
  ],
);

/**
 * One row a (event, consumer): the ledger of deliveries and the inbox. An event is settled when none of its rows is
 * pending.
 *
 * ```
 * pending --(effect)--> done
 *    |  ^--(replay)-- dead
 *    +--(attempts spent, or no hope)--> dead
 * ```
 *
 * In the database it is WITHOUT ROWID, which Drizzle cannot express (see the migration): the primary key is the table, one
 * row written less for each delivery. So no statement may use its rowid.
 */
export const eventDeliveries = sqliteTable(
  "event_deliveries",
  {
    eventId: text("event_id").notNull(),
    consumer: text("consumer").notNull(),
    state: text("state", { enum: ["pending", "done", "dead"] }).notNull(),
    attempts: integer("attempts").notNull(),
    /** Redacted. */
    lastError: text("last_error"),
    /** The consumer wants it no earlier than this; 0 is at once. */
    notBefore: integer("not_before").notNull().default(0),
    /** The sweep sends it again from then on: pushed ahead by each send and by a retry's delay. */
    dueAt: integer("due_at").notNull(),
    /** When a queue first took it: told with what became of it, or by the sweep. */
    sentAt: integer("sent_at"),
    doneAt: integer("done_at"),
    /** The sweep that sends it now: fences it from other sweeps. */
    relayToken: text("relay_token"),
    /** Who last acted on the row, and until when nobody else may. */
    claimToken: text("claim_token"),
    claimedUntil: integer("claimed_until"),
  },
  (table) => [
    primaryKey({ columns: [table.eventId, table.consumer] }),
    index("event_deliveries_due").on(table.dueAt).where(sql`state = 'pending'`),
    index("event_deliveries_relay").on(table.relayToken).where(sql`relay_token is not null`),
    // The inbox stands on this check: see platform/outbox/ledger.ts, `settle`.
    check("event_deliveries_state_known", sql`${table.state} in ('pending', 'done', 'dead')`),
  ],
);

/** Consumers that come and go at run time (webhook endpoints). `type` is an event type or `*`. */
export const eventSubscriptions = sqliteTable(
  "event_subscriptions",
  {
    type: text("type").notNull(),
    consumer: text("consumer").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.type, table.consumer] }),
    index("event_subscriptions_consumer").on(table.consumer),
  ],
);

/** What was given up: one row each time a delivery died. */
export const deadLetters = sqliteTable(
  "dead_letters",
  {
    id: text("id").primaryKey(),
    eventId: text("event_id").notNull(),
    type: text("type").notNull(),
    consumer: text("consumer").notNull(),
    attempts: integer("attempts").notNull(),
    /** Redacted. */
    lastError: text("last_error"),
    state: text("state", { enum: ["open", "replayed", "discarded"] }).notNull(),
    createdAt: integer("created_at").notNull(),
    resolvedAt: integer("resolved_at"),
    /** `user:<id>` or `system:<name>`. */
    resolvedBy: text("resolved_by"),
    /** Why it was discarded. */
    reason: text("reason"),
    /** The change that resolved it; null until then. The other statements of its batch are guarded on it. */
    lastChangeId: text("last_change_id"),
  },
  (table) => [
    index("dead_letters_state").on(table.state, table.createdAt, table.id),
    index("dead_letters_change").on(table.lastChangeId).where(sql`last_change_id is not null`),
    index("dead_letters_event").on(table.eventId),
    check("dead_letters_state_known", sql`${table.state} in ('open', 'replayed', 'discarded')`),
  ],
);
