/** Tables of the outbox: the log of events, and what each consumer did with them. Only `platform/outbox` imports them. */
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
    /** When it was first given to the Queue; null until then. */
    sentAt: integer("sent_at"),
  },
  (table) => [
    uniqueIndex("outbox_events_id").on(table.id),
    index("outbox_events_type").on(table.type, table.sequence),
    index("outbox_events_subject").on(table.subject, table.sequence),
  ],
);

/**
 * One row a (event, consumer): the ledger of deliveries and, for effects in D1, the inbox. An event is settled when
 * none of its rows is pending.
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
    /** The sweep sends it again from then on: pushed ahead by each send, by a retry's delay and by a claim. */
    dueAt: integer("due_at").notNull(),
    doneAt: integer("done_at"),
    /** Who holds the row while acting outside D1, and until when. */
    claimToken: text("claim_token"),
    claimedUntil: integer("claimed_until"),
  },
  (table) => [
    primaryKey({ columns: [table.eventId, table.consumer] }),
    index("event_deliveries_due").on(table.dueAt).where(sql`state = 'pending'`),
    check("event_deliveries_state_known", sql`${table.state} in ('pending', 'done', 'dead')`),
  ],
);
