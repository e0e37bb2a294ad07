/** How long a failed delivery waits. Pure. */
import type { RetryPolicy } from "./consumer";

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
