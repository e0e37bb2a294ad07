/** Versions of the Worker and their shares of the traffic, by wrangler. */

const VERSION_ID = /Worker Version ID: ([0-9a-f-]{36})/;
/** How wrangler, and the platform behind it, refuse a version with an object migration. */
const OBJECT_MIGRATION_REFUSED = /pending Durable Object migration|\[code: 10211\]/;
const MESSAGE_LENGTH_MAX = 100;

/** @typedef {ReturnType<typeof import("../deploy/runner.mjs").runner>} Runner */
/** @typedef {{id: string, percent: number}} Share */

/**
 * Returns the versions that get requests; an empty list when nothing is deployed yet.
 *
 * @param {Runner} run
 * @returns {Promise<Share[]>} the largest share first
 */
export async function servingVersions(run) {
  const deployment = await run.read("Reading the last deployment", ["deployments", "status", "--json"]);
  const shares = (deployment?.versions ?? []).map(({ version_id, percentage }) => ({
    id: version_id,
    percent: percentage,
  }));
  return shares.filter(({ percent }) => percent > 0).toSorted((a, b) => b.percent - a.percent);
}

/**
 * Stops when the configuration has an object migration that the running version does not have. A version that does not
 * say which it has is let through: then wrangler refuses the upload.
 *
 * @param {Runner} run
 * @param {string} running
 * @param {string | undefined} tag the last one of `[[migrations]]`
 */
export async function refuseObjectMigration(run, running, tag) {
  if (tag === undefined) return;
  const view = await run.read("Reading the running version", ["versions", "view", running, "--json"]);
  const applied = view?.resources?.script_runtime?.migration_tag;
  if (applied !== undefined && applied !== tag) throw objectMigrationPending(tag);
}

function objectMigrationPending(tag) {
  return new Error(
    `Object migration ${tag} is new, and cannot be deployed gradually. Deploy it alone first, in a commit that adds ` +
      "the class and its migration but no code that uses it: npm run deploy. Then this one with --gradual",
  );
}

/**
 * Uploads a version that gets no traffic.
 *
 * @param {Runner} run
 * @param {readonly string[]} flags
 * @param {string | undefined} tag the last one of `[[migrations]]`
 * @returns {Promise<string>} its id
 */
export async function uploadVersion(run, flags, tag) {
  const isRefused = (output) => OBJECT_MIGRATION_REFUSED.test(output);
  const output = await run.must("Uploading the version", ["versions", "upload", ...flags], isRefused);
  if (isRefused(output)) throw objectMigrationPending(tag);
  const id = VERSION_ID.exec(output)?.[1];
  if (id === undefined) throw new Error("wrangler versions upload names no Worker Version ID");
  return id;
}

/**
 * Gives a version a share of the requests, and the rest to the running one. The new version always comes first: as long
 * as the order stays and its share grows, no object goes back to the old version.
 * Source: developers.cloudflare.com/workers/versions-and-deployments/gradual-deployments/with-durable-objects
 *
 * @param {Runner} run
 * @param {{running: string, next: string, percent: number, isWatched?: boolean}} options a watched version gets its
 *   objects at once, because otherwise an active object keeps the old code for five minutes
 */
export async function split(run, { running, next, percent, isWatched = false }) {
  const shares = [`${next}@${percent}%`, ...(percent < 100 ? [`${running}@${100 - percent}%`] : [])];
  await run.must(`Version ${next} gets ${percent} % of the requests`, [
    ...["versions", "deploy", ...shares, "--message", `gradual: ${percent} %`, "--yes"],
    ...(isWatched ? OBJECTS_AT_ONCE : []),
  ]);
}

/** Source: developers.cloudflare.com/durable-objects/deployments/durable-objects-code-updates */
const OBJECTS_AT_ONCE = ["--durable-objects-code-update-mode", "immediate"];

/**
 * Gives every request to one version, whatever the split was. `rollback` also goes back over changed secrets, which
 * `versions deploy` refuses.
 *
 * @param {Runner} run
 * @param {string} version
 * @param {string} reason
 * @returns {Promise<boolean>} whether it worked
 */
export async function rollBack(run, version, reason) {
  run.account.say(`Going back to version ${version}`);
  const message = `gradual: ${reason}`.slice(0, MESSAGE_LENGTH_MAX);
  const args = ["rollback", version, "--message", message, "--yes", ...OBJECTS_AT_ONCE];
  return (await run.wrangler(args)).code === 0;
}

/** Returns shares as a person reads them, the same for the same shares in any order. */
export function textOf(shares) {
  const serving = shares.filter(({ percent }) => percent > 0).toSorted((a, b) => a.id.localeCompare(b.id));
  return serving.map(({ id, percent }) => `${id} at ${percent} %`).join(", ");
}
