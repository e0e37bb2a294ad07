/** How long a failed delivery waits. Pure. */
import type { RetryPolicy } from "./consumer";

const BACKOFF_MAX_SECONDS = 3600;

/** `CONSUMER_ATTEMPTS_MAX` and `CONSUMER_BACKOFF_SECONDS`: the policy of who has none of its own. */
export function commonPolicy({
  attemptsMax,
  backoffSeconds,
}: Pick<RetryPolicy, "attemptsMax" | "backoffSeconds">): RetryPolicy {
  return { attemptsMax, backoffSeconds, backoffMaxSeconds: BACKOFF_MAX_SECONDS };
}

/**
 * Doubles with each failure up to the policy's longest, then takes off up to half by chance, so that what failed
 * together does not come back together.
 *
 * @param attempts failures so far, from 1
 * @param fraction uniform in [0, 1)
 * @returns whole seconds, at least 1
 */
export function backoffSeconds(policy: RetryPolicy, attempts: number, fraction: number): number {
  const doublings = Math.min(attempts - 1, 30);
  const full = Math.min(policy.backoffSeconds * 2 ** doublings, policy.backoffMaxSeconds);
  return Math.max(1, Math.ceil(full * (1 - fraction / 2)));
}
