/** What becomes of deliveries whose attempt failed: another attempt later, or a dead letter each. */
import { AppError } from "../../kernel/errors";
import { randomFraction } from "../clock";
import type { Database } from "../database";
import { describeError } from "../observability/logger";
import type { Scope } from "../scope";
import { backoffSeconds } from "./backoff";
import type { RetryPolicy } from "./consumer";
import { type DeliveryGroup, markDead, markFailed } from "./ledger";

/** Longer waits are the sweep's, for a queue holds a delayed message 12 hours at most and counts it as a retry. */
export const QUEUE_DELAY_MAX_SECONDS = 600;
const LAST_ERROR_MAX = 500;

/** One attempt at one delivery, or at several of one consumer that failed together. */
export interface FailedAttempt extends DeliveryGroup {
  /** What the rows show now. */
  readonly attemptsSeen: number;
  /** Whether `attemptsSeen` has this attempt in it already (a claim counts first). */
  readonly isCounted: boolean;
  /** When the queue took the message that led to it; null when no queue did. */
  readonly sentAt: number | null;
  readonly error: unknown;
}

export type Verdict = { readonly state: "dead" } | { readonly state: "retry"; readonly delaySeconds: number };

export interface FailureContext {
  readonly database: Database;
  readonly scope: Scope;
  readonly policy: RetryPolicy;
  readonly resendSeconds: number;
}

/**
 * Counts the attempt and decides, for all of the group alike. The wait is jittered; where the queue itself will bring the message back, the sweep
 * leaves it a resend's time on top.
 * **Errors**: `unavailable`; then nothing was counted. **Cost**: 1 round trip, 2 statements at most.
 */
export async function recordFailure(context: FailureContext, attempt: FailedAttempt): Promise<Verdict> {
  const { database, scope, policy, resendSeconds } = context;
  const attempts = attempt.attemptsSeen + (attempt.isCounted ? 0 : 1);
  const lastError = storable(attempt.error);
  const failure = { attemptsSeen: attempt.attemptsSeen, attempts, lastError, sentAt: attempt.sentAt };
  const tell = (level: "warn" | "error", event: string, more: object = {}) => {
    const fields = { consumer: attempt.consumer, attempts, error: attempt.error, ...more };
    for (const eventId of attempt.eventIds) scope.log.log(level, event, { eventId, ...fields });
  };
  const now = scope.clock();
  if (attempts >= policy.attemptsMax || isHopeless(attempt.error)) {
    await database.commit(markDead(database, attempt, failure, { newId: scope.newId, now }));
    tell("error", "delivery.dead");
    return { state: "dead" };
  }
  const delaySeconds = backoffSeconds(policy, attempts, randomFraction());
  const graceSeconds = delaySeconds <= QUEUE_DELAY_MAX_SECONDS ? resendSeconds : 0;
  const dueAt = now + (delaySeconds + graceSeconds) * 1000;
  await database.commit([markFailed(database, attempt, failure, dueAt)]);
  tell("warn", "delivery.failed", { delaySeconds });
  return { state: "retry", delaySeconds };
}

/** An `AppError` of code `internal` is one that its author knows no repetition to cure. */
function isHopeless(error: unknown): boolean {
  return error instanceof AppError && error.code === "internal" && !error.isRetryable;
}

/** Stored, and shown to whoever may list dead letters: so without foreign messages, in development as well. */
function storable(error: unknown): string {
  return String(describeError(error, "deployment").error).slice(0, LAST_ERROR_MAX);
}
