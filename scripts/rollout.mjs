/**
 * `npm run deploy -- --gradual`: a version reaches its users step by step, and goes back by itself.
 *
 * ```
 * upload -> 0 %  smoke test by override -> 10 %  watch -> 100 %  triggers
 *             \                          \        \
 *              +--------------------------+--------+--> the running version at 100 % again, exit code 1
 * ```
 */
import { readLogin } from "./deploy/cloudflare-api.mjs";
import { lastAddress, publishAtOnce } from "./deployment.mjs";
import { durationMs } from "./rollout/duration.mjs";
import { MEANS } from "./rollout/means.mjs";
import { analyticsEngine } from "./rollout/metrics.mjs";
import { Progress } from "./rollout/progress.mjs";
import { smokeTest } from "./rollout/smoke-test.mjs";
import { refuseObjectMigration, servingVersions, textOf, uploadVersion } from "./rollout/versions.mjs";
import { foresee, WATCHED_PERCENT, watch } from "./rollout/watch.mjs";

const WATCH_DEFAULT = "5m";

/**
 * Returns the plan of a real account.
 *
 * @param {import("./deployment.mjs").Account} account
 * @param {Record<string, any>} config the configuration of the stage
 * @param {string} [watchFor] such as `5m`
 */
export function gradualPlan(account, config, watchFor = WATCH_DEFAULT) {
  const metricsOf = analyticsEngine({
    // Read each time, because a login is renewed while it is watched for hours.
    login: () => readLogin(account.wrangler, config.account_id),
    dataset: config.analytics_engine_datasets?.[0]?.dataset,
    fetch: MEANS.fetch,
  });
  return gradually({
    worker: config.name,
    objectMigration: config.migrations?.at(-1)?.tag,
    watchMs: durationMs(watchFor),
    means: MEANS,
    metricsOf,
  });
}

/**
 * @typedef {object} Options
 * @property {string} worker
 * @property {string} [objectMigration] tag of the last entry of `[[migrations]]`
 * @property {number} watchMs 0 goes from the smoke test to 100 %
 * @property {import("./rollout/means.mjs").Means} means
 * @property {import("./rollout/watch.mjs").Means["metricsOf"]} metricsOf
 */

/**
 * Returns a plan for `deploy`: what is checked before anything is changed, and then the way to publish.
 *
 * @param {Options} options
 * @returns {(run: import("./rollout/versions.mjs").Runner) => Promise<typeof publishAtOnce>}
 * **Errors**: a sentence, and nothing is changed
 */
export function gradually(options) {
  const { worker, objectMigration, watchMs, means, metricsOf } = options;
  return async (run) => {
    const serving = await servingVersions(run);
    if (serving.length === 0) {
      run.account.say(
        "Nothing is deployed yet, so there is nothing to be gradual against: deploying at once",
      );
      return publishAtOnce;
    }
    if (serving.length > 1) throw unfinished(worker, serving);
    const running = serving[0].id;
    await refuseObjectMigration(run, running, objectMigration);
    // Where the running version is served. An address that is new with this deployment leads nowhere yet.
    const address = await lastAddress(run);
    if (watchMs > 0) await foresee({ ...means, metricsOf }, { running, watchMs });
    return async (_, version) => await rollOut(run, { ...options, running, address }, version);
  };
}

function unfinished(worker, serving) {
  const commands = serving.map(({ id }) => `npx wrangler versions deploy ${id}@100% --name ${worker} --yes`);
  return new Error(
    `A rollout is not finished: ${textOf(serving)}. Choose one version first: ${commands.join(" or ")}`,
  );
}

/** @returns {Promise<string>} the address */
async function rollOut(run, options, { known, flags, secrets }) {
  const address = options.address ?? known;
  if (address === undefined) throw new Error("Which address do users call? Add --url https://...");
  const next = await options.means.interruptible(async (interrupted) => {
    const version = await uploadVersion(run, [...flags(known), ...secrets], options.objectMigration);
    await advance(run, { ...options, address, next: version, interrupted });
    return version;
  });
  await deployTriggers(run, next);
  return known ?? address;
}

async function advance(run, { worker, running, next, address, watchMs, means, metricsOf, interrupted }) {
  const { say } = run.account;
  const sleep = (ms) => means.sleep(ms, interrupted);
  const progress = new Progress(run, { worker, running, next, sleep: means.sleep, interrupted });
  await progress.orBack(async () => {
    await progress.to(0);
    say(`Testing version ${next} at ${address}`);
    await smokeTest({ fetch: means.fetch, sleep, interrupted }, { address, worker, version: next });
    if (watchMs > 0) {
      await progress.to(WATCHED_PERCENT, true);
      await watch({ metricsOf, clock: means.clock, sleep, say }, { running, next, watchMs });
    }
    await progress.to(100);
  });
}

/** Sets crons, queues and routes, which an uploaded version does not bring along. The version is proven, so it stays. */
async function deployTriggers(run, next) {
  try {
    await run.must("Setting crons, queues and routes", ["triggers", "deploy"]);
  } catch (error) {
    throw new Error(
      `${error.message}\nVersion ${next} serves every request. To set the rest: npm run deploy`,
    );
  }
}
