/** The event log and the ledger, for reading; and how long they are kept. */
import { and, asc, eq, gt, type SQL, sql } from "drizzle-orm";
import { deadLetters, eventDeliveries, outboxEvents } from "../../../drizzle/schema/outbox";
import { toTimestamp } from "../../kernel/clock";
import { type Page, splitPage } from "../../kernel/cursor";
import type { CloudEvent } from "../../kernel/event";
import type { Database, ReadFrom } from "../database";
import { toEnvelope } from "./envelope";
import type { EventLedger } from "./schemas";

export interface EventQuery {
  /** Sequence of the last event seen; 0 from the beginning. */
  readonly after: number;
  readonly type?: string | undefined;
  readonly subject?: string | undefined;
  readonly limit: number;
}

export class EventLog {
  readonly #database: Database;
  readonly #publicUrl: string;

  /** @param publicUrl `PUBLIC_URL`, for the envelope */
  constructor(database: Database, publicUrl: string) {
    this.#database = database;
    this.#publicUrl = publicUrl;
  }

  /** In order of commit. `nextCursor` is a sequence. **Cost**: 1 round trip, `limit` + 1 rows by an index. */
  async list(query: EventQuery, from: ReadFrom): Promise<Page<CloudEvent>> {
    const { after, type, subject, limit } = query;
    const {
      rows: [rows],
    } = await this.#database.read(from, [
      this.#database.build
        .select()
        .from(outboxEvents)
        .where(
          and(
            gt(outboxEvents.sequence, after),
            type === undefined ? undefined : eq(outboxEvents.type, type),
            subject === undefined ? undefined : eq(outboxEvents.subject, subject),
          ),
        )
        .orderBy(asc(outboxEvents.sequence))
        .limit(limit + 1),
    ]);
    const events = rows.map((row) => toEnvelope(row, this.#publicUrl));
    const { data, last } = splitPage(events, limit);
    return { data, nextCursor: last?.sequence ?? null };
  }

  /** Null when there is no such event, or none any more. **Cost**: 1 round trip. */
  async ledger(id: string): Promise<EventLedger | null> {
    const {
      rows: [[row], deliveries],
    } = await this.#database.read("primary", [
      this.#database.build.select().from(outboxEvents).where(eq(outboxEvents.id, id)),
      this.#database.build
        .select()
        .from(eventDeliveries)
        .where(eq(eventDeliveries.eventId, id))
        .orderBy(asc(eventDeliveries.consumer)),
    ]);
    if (row === undefined) return null;
    return {
      event: toEnvelope(row, this.#publicUrl),
      committedAt: toTimestamp(row.committedAt),
      sentAt: timestampOrNull(earliest(deliveries.map(({ sentAt }) => sentAt))),
      deliveries: deliveries.map(({ consumer, state, attempts, lastError, doneAt }) => ({
        consumer,
        state,
        attempts,
        lastError,
        doneAt: timestampOrNull(doneAt),
      })),
    };
  }

  /**
   * Deletes the oldest events committed before the cutoff, with their deliveries and resolved dead letters. An event that is
   * unsettled, or has an open dead letter, stays however old it is.
   *
   * @param rowsMax bounds the events of this call
   * @returns how many events were deleted; fewer than `rowsMax` when none is left
   */
  async deleteSettled(cutoff: number, rowsMax: number): Promise<number> {
    const doomed = this.#settledBefore(cutoff, rowsMax);
    const { build } = this.#database;
    const { rows } = await this.#database.commit([
      build.delete(eventDeliveries).where(sql`${eventDeliveries.eventId} in (${doomed})`),
      build.delete(deadLetters).where(sql`${deadLetters.eventId} in (${doomed})`),
      // Last, because the two others select by the same rows.
      build
        .delete(outboxEvents)
        .where(sql`${outboxEvents.id} in (${doomed})`)
        .returning({ id: outboxEvents.id }),
    ]);
    return rows[2].length;
  }

  /**
   * Selects the same events in each statement of the batch, for it asks only what the deletions leave unchanged.
   *
   * It steps through the log from its lower end and stops at the first event that is young enough, so it reads what is old
   * and one more row, and needs no index on the time; it stops at its limit too, for `not materialized` keeps SQLite from
   * making the whole list first. Isolates' clocks lie a little apart: an event may keep older ones behind it for that
   * much longer.
   */
  #settledBefore(cutoff: number, rowsMax: number): SQL {
    return sql`with recursive old(sequence, id) as not materialized (
        select sequence, id from (select * from ${outboxEvents} order by sequence limit 1) where committed_at < ${cutoff}
        union all
        select e.sequence, e.id from old join ${outboxEvents} e
          on e.sequence = (select min(sequence) from ${outboxEvents} where sequence > old.sequence)
          where e.committed_at < ${cutoff}
      )
      select id from old
      where not exists (select 1 from ${eventDeliveries} d where d.event_id = old.id and d.state = 'pending')
      and not exists (select 1 from ${deadLetters} l where l.event_id = old.id and l.state = 'open')
      limit ${rowsMax}`;
  }
}

function earliest(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}

function timestampOrNull(epochMs: number | null): string | null {
  return epochMs === null ? null : toTimestamp(epochMs);
}
