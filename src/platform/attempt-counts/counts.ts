/**
 * The statements of attempts that are counted in D1, and what their rows say.
 *
 * Time is cut into buckets of a fifteenth of the window, and an attempt is charged to the bucket in which it falls. A
 * bucket counts whole until a window after its *end*, so for as long as any part of it can lie in the window, whatever
 * length its bucket had: a configured window that changes loses no charge.
 */
import { asc, inArray, type SQL, sql } from "drizzle-orm";
import { attemptCounts } from "../../../drizzle/schema/attempt-counts";
import type { Database, Guard, Statement } from "../database";
import { inSteps } from "../in-steps";
import { BUCKETS_PER_WINDOW } from "../limiter";

/** Epoch milliseconds by the one writer's clock: those of isolates lie apart, and a sliding window over them is none. */
const DATABASE_CLOCK = sql`cast(unixepoch('subsec') * 1000 as integer)`;

export interface CountedKey {
  readonly key: string;
  /** Attempts a window. */
  readonly limit: number;
}

export interface Charge {
  readonly id: string;
  /** Charged all or none; at least one. */
  readonly keys: readonly CountedKey[];
  readonly windowMs: number;
}

/** What a key was charged in a bucket that still counts. */
export type CountedBucket = Awaited<ReturnType<AttemptCounts["select"]>>[number];

export class AttemptCounts {
  readonly #database: Database;
  readonly #now: SQL;

  /** @param now epoch milliseconds */
  constructor(database: Database, now: SQL = DATABASE_CLOCK) {
    this.#database = database;
    this.#now = now;
  }

  /** Charges each key where all have room. D1 has one writer, so nobody else charges between the sum and the row. */
  charge({ id, keys, windowMs }: Charge): Statement {
    const bucketMs = sql`cast(${Math.ceil(windowMs / BUCKETS_PER_WINDOW)} as integer)`;
    const asked = JSON.stringify(keys.map(({ key, limit }) => ({ key, limit })));
    return this.#database.build
      .insert(attemptCounts)
      .select(
        sql`select null, value ->> 'key', (${this.#now} / ${bucketMs} + 1) * ${bucketMs}, 1, ${id} from json_each(${asked})
          where not exists (select 1 from json_each(${asked}) where value ->> 'limit' <= (
            select coalesce(sum(c.count), 0) from ${attemptCounts} c
            where c.key = value ->> 'key' and c.bucket_ends_at > ${this.#now} - ${windowMs}))`,
      )
      .onConflictDoUpdate({
        target: [attemptCounts.key, attemptCounts.bucketEndsAt],
        set: { count: sql`${attemptCounts.count} + 1`, lastChargeId: id },
      });
  }

  /** Holds once `charge` found room. A guard for all that follows in the batch. */
  isCharged({ id, keys: [first] }: Charge): Guard {
    return sql`exists (select 1 from ${attemptCounts} where key = ${first?.key} and last_charge_id = ${id})`;
  }

  /** The buckets that count, oldest first. **Cost**: at most 17 rows a key, by index. */
  select({ keys, windowMs }: Charge) {
    return this.#database.build
      .select({
        key: attemptCounts.key,
        count: attemptCounts.count,
        lastChargeId: attemptCounts.lastChargeId,
        leavesInMs: sql<number>`${attemptCounts.bucketEndsAt} + ${windowMs} - ${this.#now}`.as(
          "leaves_in_ms",
        ),
      })
      .from(attemptCounts)
      .where(
        sql`${inArray(
          attemptCounts.key,
          keys.map(({ key }) => key),
        )} and ${attemptCounts.bucketEndsAt} > ${this.#now} - ${windowMs}`,
      )
      .orderBy(asc(attemptCounts.bucketEndsAt));
  }

  /**
   * Deletes what counts no more, in bounded steps: the oldest rows were made first, and while the first of all counts
   * none is looked at. Run by the cron.
   * @returns how many rows went
   */
  async sweep(windowMs: number): Promise<number> {
    const isOver = sql`bucket_ends_at <= ${this.#now} - ${windowMs}`;
    return await inSteps(SWEEP_BOUND, async (rowsMax) => {
      const {
        rows: [rows],
      } = await this.#database.commit([
        this.#database.build
          .delete(attemptCounts)
          .where(
            sql`id in (select c.id from (select * from ${attemptCounts} order by id limit 1) oldest cross join ${attemptCounts} c
              where oldest.${isOver} order by c.id limit ${rowsMax}) and ${isOver}`,
          )
          .returning({ id: attemptCounts.id }),
      ]);
      return rows.length;
    });
  }
}

const SWEEP_BOUND = { rows: 500, steps: 20 };

/** Milliseconds until a key has room for one more: until enough of its oldest buckets have left. 0: there is room. */
export function roomInMs({ key, limit }: CountedKey, counted: readonly CountedBucket[]): number {
  const own = counted.filter((bucket) => bucket.key === key);
  let left = own.reduce((sum, { count }) => sum + count, 0);
  let waitMs = 0;
  for (const { count, leavesInMs } of own) {
    if (left < limit) break;
    left -= count;
    waitMs = leavesInMs;
  }
  return waitMs;
}
