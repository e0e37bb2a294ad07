/**
 * What a deployment does, in order. Every step looks first and leaves alone what is there, so a deployment that broke
 * off is simply run again. The tools it calls are handed in, so that tests play an account.
 */
import { runner } from "./deploy/runner.mjs";

/**
 * @typedef {object} Account
 * @property {(args: readonly string[]) => Promise<{code: number, output: string, stdout?: string}>} wrangler runs it to
 *   its end
 * @property {(missing: readonly string[]) => string} secretsFile makes the secrets, keeps them, returns the file's path
 * @property {(url: string) => Promise<boolean>} isReady asks `/readyz` until it answers 200, or gives up
 * @property {(line: string) => void} say
 */

/**
 * @typedef {object} Options
 * @property {ReturnType<typeof import("./deploy/configuration.mjs").readNames>} names
 * @property {readonly string[]} config the flags by which wrangler finds the configuration
 * @property {string} [url] `PUBLIC_URL`, when it is not the one at workers.dev
 * @property {readonly string[]} [version] flags that describe the version
 * @property {typeof publishAtOnce} [publish] puts the code in front of users
 */

/**
 * @param {Account} account
 * @param {Options} options
 * @returns {Promise<string>} the address
 */
export async function deploy(account, options) {
  const { names, config, version = [], publish = publishAtOnce } = options;
  const run = runner(account, config);
  await run.must("Looking for a login", ["whoami"]);
  const known = options.url ?? names.ownAddress;
  await createMissing(run, names);
  await migrate(run, names);
  const flags = (address) => [...version, ...variableFlags(names, address)];
  const secrets = await secretFlags(run, names);
  const address = await publish(run, { known, flags, secrets });
  account.say(`Asking ${address}/readyz`);
  if (!(await account.isReady(address)))
    throw new Error(`${address}/readyz does not answer 200: npx wrangler tail ${names.worker}`);
  return address;
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
  const { code, output } = await run.wrangler(["secret", "list", "--format", "json"]);
  const missing = code === 0 ? secrets.filter((name) => !output.includes(`"${name}"`)) : secrets;
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
