/** What waits in the outbox, for gauges. Counting is bounded, so that a long queue does not make it slow to look at. */
import { eq, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { deadLetters, eventDeliveries, outboxEvents } from "../../../drizzle/schema/outbox";
import type { Database } from "../database";
import { IS_PENDING } from "./ledger";

/** Rows looked at, for each figure: past it a figure says "at least". */
export const BACKLOG_ROWS_MAX = 10_000;

export interface Backlog {
  readonly pending: readonly {
    /** Endpoints and exports go by their kind: `webhook`, `export`. */
    readonly consumer: string;
    readonly count: number;
    /** Epoch milliseconds since when the oldest of them could have been made. */
    readonly oldestMs: number;
  }[];
  readonly deadLetters: readonly { readonly consumer: string; readonly count: number }[];
}

/** **Errors**: `unavailable`. **Cost**: 1 round trip, two rows for each pending delivery and one for each open letter. */
export async function readBacklog(database: Database): Promise<Backlog> {
  const { build } = database;
  const waiting = build
    .select({
      eventId: eventDeliveries.eventId,
      consumer: eventDeliveries.consumer,
      notBefore: eventDeliveries.notBefore,
    })
    .from(eventDeliveries)
    .where(IS_PENDING)
    .orderBy(eventDeliveries.dueAt)
    .limit(BACKLOG_ROWS_MAX)
    .as("waiting");
  const open = build
    .select({ consumer: deadLetters.consumer })
    .from(deadLetters)
    .where(eq(deadLetters.state, "open"))
    .limit(BACKLOG_ROWS_MAX)
    .as("open_letters");
  const {
    rows: [pending, letters],
  } = await database.read("nearest", [
    build
      .select({
        consumer: kindOf(waiting.consumer).as("kind"),
        count: sql<number>`count(*)`.as("waiting_count"),
        oldestMs: sql<number>`min(max(${outboxEvents.committedAt}, ${waiting.notBefore}))`.as("oldest_ms"),
      })
      .from(waiting)
      .innerJoin(outboxEvents, eq(outboxEvents.id, waiting.eventId))
      .groupBy(sql`kind`),
    build
      .select({ consumer: kindOf(open.consumer).as("kind"), count: sql<number>`count(*)`.as("open_count") })
      .from(open)
      .groupBy(sql`kind`),
  ]);
  return { pending, deadLetters: letters };
}

/**
 * Since when the delivery has been due that has been so longest, epoch milliseconds; null when none is pending. What is
 * not due yet is in the future. **Errors**: `unavailable`. **Cost**: 1 round trip, 1 row.
 */
export async function oldestDueMs(database: Database): Promise<number | null> {
  const {
    rows: [rows],
  } = await database.read("nearest", [
    database.build
      .select({ dueAt: eventDeliveries.dueAt })
      .from(eventDeliveries)
      .where(IS_PENDING)
      .orderBy(eventDeliveries.dueAt)
      .limit(1),
  ]);
  return rows[0]?.dueAt ?? null;
}

/** `webhook:<id>` is `webhook`: endpoints come and go, and a metric's label must not. */
export function consumerKindOf(consumer: string): string {
  return consumer.split(":", 1)[0] ?? consumer;
}

function kindOf(consumer: SQLiteColumn | SQL): SQL<string> {
  return sql<string>`substr(${consumer}, 1, instr(${consumer} || ':', ':') - 1)`;
}
