/** Watches a new version at 10 % beside the old one, and decides whether it goes on. */
import { durationText } from "./duration.mjs";
import { judge, REQUESTS_MIN } from "./judge.mjs";

/** The share of requests that a version gets while it is watched. */
export const WATCHED_PERCENT = 10;
const LOOK_EVERY_MS = 30_000;
/** For the last points to be found: isolates flush within 10 s, and Analytics Engine takes its time. */
const SETTLE_MS = 60_000;
const LAST_LOOKS = 3;
/** What is read to foresee the requests of a watch. */
const FORESIGHT_MS = 600_000;

/**
 * @typedef {object} Means
 * @property {(versions: readonly string[], fromMs: number) => Promise<import("./metrics.mjs").Figures[]>} metricsOf
 * @property {(ms: number) => Promise<unknown>} sleep rejects when the run is interrupted
 * @property {() => number} clock epoch milliseconds
 * @property {(line: string) => void} say
 */

/**
 * Stops when the requests of a watch are foreseeably too few to judge by. It also finds out whether metrics can be read.
 *
 * @param {Means} means
 * @param {{running: string, watchMs: number}} options
 * **Errors**: one line that says how long a watch would be enough, or why nothing can be read
 */
export async function foresee({ metricsOf, clock }, { running, watchMs }) {
  const spanMs = Math.max(watchMs, FORESIGHT_MS);
  const [figures] = await metricsOf([running], clock() - spanMs).catch((error) => {
    throw new Error(`${error.message}. Without them add --watch 0, and watch the dashboard yourself`);
  });
  const perMs = (figures.requests * WATCHED_PERCENT) / 100 / spanMs;
  if (perMs * watchMs >= REQUESTS_MIN) return;
  const seen = `${Math.round(figures.requests)} requests in the last ${durationText(spanMs)}`;
  const advice = perMs === 0 ? "" : `Add --watch ${durationText(REQUESTS_MIN / perMs)}, or `;
  throw new Error(
    `Too little traffic to judge a version by: ${seen}, of which it would get ${WATCHED_PERCENT} %, and it needs ` +
      `${REQUESTS_MIN}. ${advice || "Add "}--watch 0, which goes without`,
  );
}

/**
 * Watches for `watchMs`, and returns when the new version does no worse.
 *
 * @param {Means} means
 * @param {{running: string, next: string, watchMs: number}} options
 * **Errors**: a sentence with the figures as soon as it does worse, or in the end when there were too few requests
 * **Cost**: a call to Analytics Engine every 30 s
 */
export async function watch(means, { running, next, watchMs }) {
  const { clock, sleep, say } = means;
  const fromMs = clock();
  const look = async () => judge(...(await means.metricsOf([next, running], fromMs)));
  for (let passedMs = 0; passedMs < watchMs; passedMs += LOOK_EVERY_MS) {
    await sleep(Math.min(LOOK_EVERY_MS, watchMs - passedMs));
    const { verdict, says } = await look().catch(({ message }) => ({ verdict: "few", says: message }));
    if (verdict === "worse") throw new Error(says);
    say(`  ${says}`);
  }
  await sleep(SETTLE_MS);
  const { verdict, says } = await retried(LAST_LOOKS, sleep, look);
  if (verdict !== "fine") throw new Error(says);
  say(`  ${says}`);
}

async function retried(times, sleep, work) {
  for (let left = times - 1; left > 0; left -= 1) {
    try {
      return await work();
    } catch {
      await sleep(LOOK_EVERY_MS);
    }
  }
  return await work();
}
