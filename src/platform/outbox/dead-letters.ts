/**
 * What was given up, and its way back.
 *
 * ```
 * open --(replay)--> replayed      the delivery is pending again, with fresh attempts
 *   +----(discard)--> discarded    the delivery stays dead
 * ```
 */
import { and, asc, eq, gte, lt, type SQL, sql } from "drizzle-orm";
import { deadLetters, eventDeliveries } from "../../../drizzle/schema/outbox";
import { toTimestamp } from "../../kernel/clock";
import type { CursorPosition } from "../../kernel/cursor";
import type { Database, Statement } from "../database";
import { isOneOf } from "../is-one-of";
import { boundedColumn } from "../keyset";
import { type Mark, MarkedTable, type PendingMark } from "../mark";
import type { DeadLetter, DeadLetterState } from "./schemas";

export interface DeadLetterFilter {
  readonly state: DeadLetterState;
  readonly type?: string | undefined;
  readonly consumer?: string | undefined;
  /** Epoch milliseconds of the death; from is included, to is not. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** How letters leave the state `open`. */
export interface Resolution extends Pick<Mark, "changeId" | "at"> {
  /** `user:<id>` or `system:<name>`. */
  readonly by: string;
}

/** Replayed deliveries are handed over at this pace, so that what broke once is not flooded. */
const REPLAY_PER_SECOND = 50;

type Row = typeof deadLetters.$inferSelect;

export const LETTERS = new MarkedTable(deadLetters);

export class DeadLetters {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Oldest first; one more than asked for tells whether there are more. **Cost**: 1 round trip over an index. */
  async page(filter: DeadLetterFilter, after: CursorPosition | null, limit: number): Promise<DeadLetter[]> {
    // A comparison of rows, for which SQLite has a range of the index; with `or` it would walk from the first letter.
    const beyond =
      after === null
        ? undefined
        : sql`(${deadLetters.createdAt}, ${deadLetters.id}) > (${Number(after.key)}, ${after.id})`;
    const {
      rows: [rows],
    } = await this.#database.read("primary", [
      this.#database.build
        .select()
        .from(deadLetters)
        .where(and(matches(filter, after !== null), beyond))
        .orderBy(asc(deadLetters.createdAt), asc(deadLetters.id))
        .limit(limit + 1),
    ]);
    return rows.map(toDeadLetter);
  }

  /** The letter as it stands, and the call that resolved it, for a batch of the caller's. */
  selectById(id: string) {
    return this.#database.build.select().from(deadLetters).where(eq(deadLetters.id, id));
  }

  /** The letter while it is as it was read, which was open. */
  replayOne(mark: PendingMark, by: string): Statement[] {
    const resolution = { ...mark, by };
    return [this.#resolve("replayed", resolution, LETTERS.isStill(mark)), this.#revive(resolution)];
  }

  /** As `replayOne`, but its delivery stays dead. */
  discard(mark: PendingMark, by: string, reason: string): Statement {
    return this.#resolve("discarded", { ...mark, by }, LETTERS.isStill(mark), reason);
  }

  /** Ids of the oldest open letters that match, `max` at most; none unless `guard` holds. */
  selectOpen(filter: Omit<DeadLetterFilter, "state">, max: number, guard?: SQL) {
    return this.#database.build
      .select({ id: deadLetters.id })
      .from(deadLetters)
      .where(and(matches({ ...filter, state: "open" }), guard))
      .orderBy(asc(deadLetters.createdAt), asc(deadLetters.id))
      .limit(max);
  }

  /** All of these letters or, when one of them is not open any more, none. */
  replayAll(ids: readonly string[], resolution: Resolution) {
    const areOpen = sql`(select count(*) from ${deadLetters} where ${isOneOf(deadLetters.id, ids)} and ${deadLetters.state} = 'open') = ${ids.length}`;
    const isOneOfThem = and(isOneOf(deadLetters.id, ids), areOpen);
    return {
      /** Tells whom it took. */
      resolve: this.#resolve("replayed", resolution, isOneOfThem).returning({ id: deadLetters.id }),
      revive: this.#revive(resolution),
    };
  }

  /** Holds where this resolution took effect on at least one letter. */
  isResolvedBy(resolution: Resolution): SQL {
    return sql`exists (select 1 from ${deadLetters} where ${deadLetters.lastChangeId} = ${resolution.changeId})`;
  }

  /** Holds where it took effect on none. */
  isWithoutEffect(resolution: Resolution): SQL {
    return sql`not ${this.isResolvedBy(resolution)}`;
  }

  #resolve(state: DeadLetterState, by: Resolution, where: SQL | undefined, reason?: string) {
    return this.#database.build
      .update(deadLetters)
      .set({ state, resolvedAt: by.at, resolvedBy: by.by, lastChangeId: by.changeId, reason: reason ?? null })
      .where(where);
  }

  /** Due at once, handed over in turn: the queue holds each back until its second has come. */
  #revive({ changeId, at }: Resolution): Statement {
    const revived = sql`(select event_id, consumer, row_number() over (order by created_at, id) - 1 as turn
      from ${deadLetters} where last_change_id = ${changeId}) as revived`;
    return this.#database.build
      .update(eventDeliveries)
      .set({
        state: "pending",
        attempts: 0,
        doneAt: null,
        claimToken: null,
        claimedUntil: null,
        relayToken: null,
        dueAt: at,
        notBefore: sql`cast(${at} + revived.turn * 1000 / ${REPLAY_PER_SECOND} as integer)`,
      })
      .from(revived)
      .where(
        sql`${eventDeliveries.state} = 'dead' and ${eventDeliveries.eventId} = revived.event_id and ${eventDeliveries.consumer} = revived.consumer`,
      );
  }
}

export function toDeadLetter(row: Row): DeadLetter {
  const { id, eventId, type, consumer, attempts, lastError, state, createdAt } = row;
  return { id, eventId, type, consumer, attempts, lastError, state, createdAt: toTimestamp(createdAt) };
}

function matches({ state, type, consumer, from, to }: DeadLetterFilter, hasCursor = false): SQL | undefined {
  return and(
    eq(deadLetters.state, state),
    type === undefined ? undefined : eq(deadLetters.type, type),
    consumer === undefined ? undefined : eq(deadLetters.consumer, consumer),
    from === undefined ? undefined : gte(boundedColumn(deadLetters.createdAt, hasCursor), from),
    to === undefined ? undefined : lt(deadLetters.createdAt, to),
  );
}
