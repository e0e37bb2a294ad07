/**
 * Delays drawn from a written model, from a seed, so that a run can be repeated. Without a model nothing waits.
 *
 * A delay is log-normal: its median and its 99th percentile describe it, as they are published, and its tail is long, as
 * those of networks are.
 */

/** How many standard deviations the 99th percentile lies from the median. */
const Z99 = 2.326;

/**
 * @param {Record<string, {p50: number, p99: number}> | null} model milliseconds by name
 * @returns {(name: string) => Promise<void>}
 */
export function delaysOf(model, seed = 1) {
  if (model === null) return async () => undefined;
  const random = randomOf(seed);
  return async (name) => {
    const { p50, p99 } = model[name];
    await scheduler.wait(p50 * Math.exp((Math.log(p99 / p50) / Z99) * normal(random)));
  };
}

/** Box and Muller's. */
function normal(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** A linear congruential generator: delays need no better. */
function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
