/**
 * What a deployment does, in order. Every step looks first and leaves alone what is there, so a deployment that broke
 * off is simply run again. The tools it calls are handed in, so that tests play an account.
 */
import { attachDomains, refuseTakenDomains } from "./deploy/domains.mjs";
import { addressHostOf, covers, isLocal } from "./deploy/routes.mjs";
import { failure, isOffline, runner } from "./deploy/runner.mjs";

/**
 * @typedef {object} Account
 * @property {(args: readonly string[]) => Promise<{code: number, output: string, stdout?: string}>} wrangler runs it to
 *   its end
 * @property {(method: string, path: string, body?: object) => Promise<{result?: any, errors?: string}>} api calls
 *   Cloudflare's API under this account; `errors` is a sentence
 * @property {(missing: readonly string[]) => string} secretsFile makes the secrets, keeps them, returns the file's path
 * @property {(url: string) => Promise<boolean>} isReady asks `/readyz` until it answers 200, or gives up
 * @property {(line: string) => void} say
 */

/**
 * @typedef {object} Options
 * @property {ReturnType<typeof import("./deploy/configuration.mjs").readNames>} names
 * @property {readonly string[]} config the flags by which wrangler finds the configuration
 * @property {string} [url] `PUBLIC_URL`, when it is not the one of the last deployment
 * @property {readonly string[]} [version] flags that describe the version
 * @property {{worker: string, hosts: readonly string[], own: readonly string[]}} [production] of a stage: whose addresses it must not
 *   have, and the host patterns of its `own`
 * @property {(run: ReturnType<typeof runner>) => Promise<typeof publishAtOnce>} [plan] decides, before anything is
 *   changed, how the code is put in front of users
 */

const ZONE_ADVICE = "give its route a zone_name, or list the zone in WEBHOOK_DENIED_DOMAINS";

/**
 * @param {Account} account
 * @param {Options} options
 * @returns {Promise<string>} the address
 */
export async function deploy(account, options) {
  const { names, config, version = [], production, plan = async () => publishAtOnce } = options;
  const run = runner(account, config);
  await ensureLogin(run);
  const publish = await plan(run);
  const known = await knownAddress(run, options);
  if (known !== undefined) await refuseProductionAddress(run, known, production);
  await refuseTakenDomains(account, names.worker, names.domains);
  for (const host of names.hostsWithoutZone)
    account.say(`Warning: webhooks are denied to ${host}, and not to the rest of its zone: ${ZONE_ADVICE}`);
  await createMissing(run, names);
  await migrate(run, names);
  const flags = (address) => [...version, ...variableFlags(names, address)];
  const secrets = await secretFlags(run, names);
  const address = await publish(run, { known, flags, secrets });
  await attachDomains(account, names.worker, names.domains);
  account.say(`Asking ${address}/readyz`);
  if (!(await account.isReady(address)))
    throw new Error(`${address}/readyz does not answer 200: npx wrangler tail ${names.worker}`);
  return address;
}

/** Stops without a login. A token that may not name its user may still deploy, so any other answer is no reason to. */
async function ensureLogin(run) {
  const title = "Looking for a login";
  run.account.say(title);
  const { output } = await run.wrangler(["whoami", "--json"]);
  if (/"loggedIn":\s*false/.test(output))
    throw new Error("Not logged in to Cloudflare: npx wrangler login, or set CLOUDFLARE_API_TOKEN");
  if (isOffline(output)) throw failure(title, output);
}

/**
 * Returns `PUBLIC_URL` as far as it is known before the code is deployed: as given, as configured, as deployed last, or
 * the custom domain. Undefined when it is the address at workers.dev, which a first deployment learns.
 */
async function knownAddress(run, { names, url }) {
  const given = url ?? names.ownAddress;
  if (given !== undefined) return given;
  const last = await lastAddress(run);
  const address = last ?? names.domainAddress;
  if (address === undefined && !names.hasWorkersDev)
    throw new Error("Which address do users call? The routes leave it open: add --url https://...");
  if (last !== undefined && names.domainAddress !== undefined && last !== names.domainAddress)
    run.account.say(`PUBLIC_URL stays ${last}; --url ${names.domainAddress} changes it`);
  return address;
}

/**
 * Returns `PUBLIC_URL` of the version that has most of the traffic; undefined when nothing is deployed, or it is local.
 *
 * @param {ReturnType<typeof runner>} run
 * @param {string} [worker] another Worker than the configured one
 */
export async function lastAddress(run, worker) {
  const title = "Reading the last deployment";
  const of = ["--json", ...(worker === undefined ? [] : ["--name", worker])];
  const deployment = await run.read(title, ["deployments", "status", ...of]);
  const [version] = (deployment?.versions ?? []).toSorted((a, b) => b.percentage - a.percentage);
  if (version === undefined) return undefined;
  const view = await run.read(title, ["versions", "view", version.version_id, ...of]);
  const variable = view?.resources.bindings.find(({ name }) => name === "PUBLIC_URL");
  return isLocal(variable?.text) ? undefined : variable.text;
}

/** Stops when a stage would send its users, by the links of its mails, to production. */
async function refuseProductionAddress(run, address, production) {
  if (production === undefined) return;
  const host = addressHostOf(address);
  const last = await lastAddress(run, production.worker);
  const hosts = last === undefined ? production.hosts : [...production.hosts, addressHostOf(last)];
  // A route of the stage's own wins over production's wildcard.
  const isOwn = production.own.some((pattern) => covers(pattern, host));
  const isProductions =
    hosts.includes(host) ||
    (!isOwn && hosts.some((pattern) => covers(pattern, host))) ||
    (host.startsWith(`${production.worker}.`) && host.endsWith(".workers.dev"));
  if (isProductions)
    throw new Error(`${address} is production's address: give the stage its own with --url https://...`);
}

/** Creates databases and queues. `wrangler deploy` creates the rest. */
async function createMissing(run, { databases, queues }) {
  for (const { name } of databases) {
    if (!(await run.isThere(["d1", "info", name])))
      await run.create(`Creating database ${name}`, ["d1", "create", name]);
  }
  for (const queue of queues) {
    if (!(await run.isThere(["queues", "info", queue])))
      await run.create(`Creating queue ${queue}`, ["queues", "create", queue]);
  }
}

/** Migrates before the code is deployed: migrations only ever add what the running code does not mind. */
async function migrate(run, { databases }) {
  for (const { name } of databases.filter(({ isMigrated }) => isMigrated))
    await run.must(`Migrating ${name}`, ["d1", "migrations", "apply", name, "--remote"]);
}

/** Makes the secrets that the Worker lacks: all of them when there is no Worker yet. */
async function secretFlags(run, { secrets }) {
  const present = (await run.read("Listing secrets", ["secret", "list", "--format", "json"])) ?? [];
  const missing = secrets.filter((secret) => !present.some(({ name }) => name === secret));
  if (missing.length === 0) return [];
  run.account.say(`Setting secrets: ${missing.join(", ")}`);
  return ["--secrets-file", run.account.secretsFile(missing)];
}

function variableFlags({ variables }, address) {
  const all = { ...variables, ...(address === undefined ? {} : { PUBLIC_URL: address }) };
  return Object.entries(all).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
}

/**
 * Deploys to all users at once. Without a known address it deploys twice: links in mails and events name the address,
 * which the first output tells.
 *
 * @param {ReturnType<typeof runner>} run
 * @param {{known?: string, flags: (address?: string) => string[], secrets: readonly string[]}} version
 * @returns {Promise<string>} the address
 */
export async function publishAtOnce(run, { known, flags, secrets }) {
  const output = await run.must("Deploying", ["deploy", ...flags(known), ...secrets]);
  if (known !== undefined) return known;
  const address = /https:\/\/[^\s]+\.workers\.dev/.exec(output)?.[0];
  if (address === undefined) throw new Error("No address: give it with --url https://...");
  await run.must(`Deploying with PUBLIC_URL ${address}`, ["deploy", ...flags(address)]);
  return address;
}
