/**
 * The `Idempotency-Key` of one call. A use case calls it at three points: `open` claims the key together with the reads that
 * decide, `record` writes the answer in the effect's own batch, and `release` frees the key when nothing was recorded.
 *
 * A call without a key has `NO_KEY`, which adds nothing and costs nothing, so each use case is written once.
 */
import type { SQL } from "drizzle-orm";
import type { BatchResponse } from "drizzle-orm/batch";
import { type Outcome, refuse } from "../../kernel/errors";
import { isViolationOf } from "../constraint-violation";
import type { Database, Statement, Statements } from "../database";

export interface Opened<Reads extends Statements> {
  /** Of the reads, in their order. */
  readonly rows: BatchResponse<Reads>;
  /**
   * Null: the call is this request's to run. Else it is over: an earlier request's answer, or a refusal
   * (`idempotency_key_reused`, `idempotency_in_progress`). A use case checks permission on `rows` before it returns this.
   * The answer has the type of the use case that recorded it, which only the caller knows: hence `never`.
   */
  readonly ended: Outcome<never> | null;
}

export interface CallKey {
  /** False for `NO_KEY`. */
  readonly isGiven: boolean;
  /** Whether `open` found the answer of an earlier request. */
  readonly isReplay: boolean;
  /**
   * Runs the reads on the primary and claims the key with them. Called before anything is written, and again only after
   * `release`.
   * **Cost**: 1 round trip; none without a key and without reads.
   */
  open<const Reads extends Statements>(database: Database, reads: Reads): Promise<Opened<Reads>>;
  /**
   * Returns what records the answer, for the effect's own batch and after the effect. The whole batch fails when another
   * request has taken the claim over meanwhile: `runOnce` turns that into `idempotency_in_progress`.
   *
   * @param answer a value that JSON can hold
   * @param guard records nothing unless it holds: that the effect of the same batch took place
   */
  record(database: Database, answer: unknown, guard?: SQL): Promise<readonly Statement[]>;
  /** Frees the key at the end of a batch, unless the answer was recorded in it. */
  release(database: Database): readonly Statement[];
  /** Says that the batch of `release` was rolled back: the key is claimed as before, and `abandon` frees it. */
  keep(): void;
  /** Frees the key of a call that changed nothing, if that has not been done. **Cost**: 1 round trip, or none. */
  abandon(): Promise<void>;
}

/** The key of a call that has none. */
export const NO_KEY: CallKey = {
  isGiven: false,
  isReplay: false,
  async open<const Reads extends Statements>(database: Database, reads: Reads) {
    const rows: readonly unknown[] = reads.length === 0 ? [] : (await database.read("primary", reads)).rows;
    return { rows: rows as BatchResponse<Reads>, ended: null };
  },
  record: async () => [],
  release: () => [],
  keep: () => undefined,
  abandon: async () => undefined,
};

/**
 * Runs a use case under its key. A refusal means that nothing happened, and frees the key; a thrown failure leaves open
 * what happened, so the key stays claimed until its lease ends.
 */
export async function runOnce<T>(key: CallKey, run: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
  try {
    const outcome = await run();
    if (!outcome.ok) await key.abandon();
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
