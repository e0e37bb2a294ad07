/**
 * One try at a call that its client may repeat. A service asks it three things: to open the call together with the
 * reads that decide, for the statements that record the answer in the effect's own batch, and to let go.
 *
 * Without an `Idempotency-Key` the same service code runs with `unkeyed()`, which adds nothing and costs nothing.
 */
import type { SQL } from "drizzle-orm";
import type { BatchResponse } from "drizzle-orm/batch";
import { type Outcome, refuse } from "../../kernel/errors";
import { type Database, isViolationOf, type Statement } from "../database";

export interface Opened<T, Rows> {
  /** Of the reads, in their order. */
  readonly rows: Rows;
  /**
   * Null: the call is this attempt's to run. Else it is over: an earlier attempt's answer, or a refusal
   * (`idempotency_key_reused`, `idempotency_in_progress`). Permission is checked on `rows` before this is returned.
   */
  readonly ended: Outcome<T> | null;
}

export interface Attempt<T> {
  readonly isKeyed: boolean;
  /**
   * Runs the reads on the primary and claims the key with them. Called once, before anything is written.
   * **Cost**: 1 round trip; none without a key and without reads.
   */
  open<const Reads extends readonly Statement[]>(
    database: Database,
    reads: Reads,
  ): Promise<Opened<T, BatchResponse<Reads>>>;
  /**
   * What records the answer, for the effect's own batch and after the effect. The batch fails whole when another
   * attempt has taken the claim over meanwhile: `runOnce` makes `idempotency_in_progress` of that.
   *
   * @param guard records nothing unless it holds: that the effect of the same batch took place
   */
  record(database: Database, value: T, guard?: SQL): Promise<readonly Statement[]>;
  /** Frees the key at the end of a batch, unless the answer was recorded in it. */
  release(database: Database): readonly Statement[];
  /** Frees the key of a call that changed nothing, if that has not been done. **Cost**: 1 round trip, or none. */
  abandon(): Promise<void>;
}

/** The attempt at a call without a key. */
export function unkeyed<T>(): Attempt<T> {
  return {
    isKeyed: false,
    async open<const Reads extends readonly Statement[]>(database: Database, reads: Reads) {
      const [first, ...rest] = reads;
      const rows: readonly unknown[] =
        first === undefined ? [] : (await database.read("primary", [first, ...rest])).rows;
      return { rows: rows as BatchResponse<Reads>, ended: null };
    },
    record: async () => [],
    release: () => [],
    abandon: async () => undefined,
  };
}

/**
 * Runs a use case under an attempt: what every protocol does. A refusal means that nothing happened, and frees the key;
 * a thrown failure leaves open what happened, so the key stays claimed until its lease ends.
 */
export async function runOnce<T, A extends Attempt<T>>(
  attempt: A,
  run: (attempt: A) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  try {
    const outcome = await run(attempt);
    if (!outcome.ok) await attempt.abandon();
    return outcome;
  } catch (error) {
    if (isClaimLost(error)) return refuseInProgress();
    throw error;
  }
}

function isClaimLost(error: unknown): boolean {
  return isViolationOf(error, "idempotency_records_state_known");
}

export function refuseInProgress() {
  return refuse("idempotency_in_progress", "The first request with this key is still running.", {
    retryAfterSeconds: 1,
  });
}

export function refuseReused() {
  return refuse("idempotency_key_reused", "This key came with another request before. Nothing was done.");
}
