/** Whether a version does worse than the one before it, by what both answered in the same time. */

/** Below this p99 is a matter of luck: of 200 requests it is the third slowest. */
export const REQUESTS_MIN = 200;
/** A few failures happen in any version: a call to D1 that broke off, an object that moved. */
const FAILURES_MIN = 5;
const FAILURE_RATE_FACTOR = 2;
const FAILURE_RATE_SLACK = 0.005;
/** New isolates have empty caches, so a version is slower at first. */
const P99_FACTOR = 2;
const P99_SLACK_MS = 100;

/**
 * Judges a version.
 *
 * @param {import("./metrics.mjs").Figures} next the new version's
 * @param {import("./metrics.mjs").Figures} before the old version's
 * @returns {{verdict: "fine" | "worse" | "few", says: string}} `few` when there are too few requests to tell; `says` is a
 *   sentence with the figures
 */
export function judge(next, before) {
  const figures = `${share(next)} requests failed (before: ${share(before)}), p99 ${ms(next)} (before: ${ms(before)})`;
  if (next.failures >= FAILURES_MIN && rate(next) > FAILURE_RATE_FACTOR * rate(before) + FAILURE_RATE_SLACK)
    return { verdict: "worse", says: `More requests fail: ${figures}.` };
  if (next.requests < REQUESTS_MIN || before.requests < REQUESTS_MIN)
    return {
      verdict: "few",
      says: `Too few requests to judge: ${figures}. Each version needs ${REQUESTS_MIN}.`,
    };
  if (next.p99Ms > P99_FACTOR * before.p99Ms + P99_SLACK_MS)
    return { verdict: "worse", says: `Requests are slower: ${figures}.` };
  return { verdict: "fine", says: `${figures}.` };
}

function rate({ requests, failures }) {
  return requests === 0 ? 0 : failures / requests;
}

function share(figures) {
  return `${(100 * rate(figures)).toFixed(1)} % of ${Math.round(figures.requests)}`;
}

function ms({ p99Ms }) {
  return `${Math.round(p99Ms)} ms`;
}
