/**
 * What a deployment does, in order. Every step looks first and leaves alone what is there, so a deployment that broke
 * off is simply run again. The tools it calls are handed in, so that tests stand in for an account.
 */

/** What `wrangler.toml` names. Read as text: the file is ours, and its form is checked by wrangler itself. */
export function readNames(toml) {
  const all = (pattern) => [...new Set([...toml.matchAll(pattern)].map(([, name]) => name))];
  const required = /^required = \[([^\]]*)\]/m.exec(toml)?.[1] ?? "";
  return {
    worker: all(/^name = "([^"]+)"/gm)[0],
    database: all(/^database_name = "([^"]+)"/gm)[0],
    queues: all(/^(?:queue|dead_letter_queue) = "([^"]+)"/gm),
    secrets: [...required.matchAll(/"([^"]+)"/g)].map(([, name]) => name),
    exportsExample: /^EVENT_EXPORTS = .*EXAMPLE_EXPORT/m.test(toml),
  };
}

/** The configuration of another stage: the same, with names of its own, so that stages share nothing. */
export function stageConfig(toml, stage) {
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(stage))
    throw new Error("--stage takes up to 20 letters, digits and hyphens");
  return toml
    .replace(/^(name|queue|dead_letter_queue|database_name|dataset) = "meridian/gm, `$1 = "meridian-${stage}`)
    .replace(/^namespace_id = "(\d+)"/gm, (_, id) => `namespace_id = "${Number(id) + numberOf(stage)}"`);
}

/** The counters of a burst shield are an account's: another number for another stage. */
function numberOf(stage) {
  return [...stage].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 900_000, 0) + 10;
}

/**
 * @typedef {object} Account
 * @property {(args: readonly string[]) => Promise<{code: number, output: string}>} wrangler runs it to its end
 * @property {(missing: readonly string[]) => string} secretsFile makes the secrets, keeps them, says in which file
 * @property {(url: string) => Promise<boolean>} isReady asks `/readyz` until it answers 200, or gives up
 * @property {(line: string) => void} say
 */

/**
 * @param {Account} account
 * @param {{names: ReturnType<typeof readNames>, url?: string, config: readonly string[],
 *   version?: readonly string[]}} options `config` is what wrangler needs to find its configuration, `version` are the
 *   flags that describe the version
 * @returns {Promise<string>} the address
 */
export async function deploy(account, { names, url, config, version = [] }) {
  const { say } = account;
  const must = async (title, args) => {
    say(title);
    const { code, output } = await account.wrangler([...args, ...config]);
    if (code !== 0) throw new Error(`${title}: failed\n${output}`);
    return output;
  };
  const create = async (title, args) => {
    say(title);
    const { code, output } = await account.wrangler([...args, ...config]);
    // A token that may not look may still create: then what is there says so itself.
    if (code !== 0 && !/already (?:exists|taken)/i.test(output))
      throw new Error(`${title}: failed\n${output}`);
  };
  const isThere = async (args) => (await account.wrangler([...args, ...config])).code === 0;

  await must("Who are we", ["whoami"]);
  if (!(await isThere(["d1", "info", names.database]))) {
    await create(`Creating database ${names.database}`, ["d1", "create", names.database]);
  }
  for (const queue of names.queues) {
    if (!(await isThere(["queues", "info", queue])))
      await create(`Creating queue ${queue}`, ["queues", "create", queue]);
  }
  // Before the code: migrations only ever add what the running code does not mind.
  await must("Migrating", ["d1", "migrations", "apply", names.database, "--remote"]);
  const missing = await missingSecrets(account, names.secrets, config);
  const secrets = missing.length === 0 ? [] : ["--secrets-file", account.secretsFile(missing)];
  if (missing.length > 0) say(`Setting secrets: ${missing.join(", ")}`);

  const settled = names.exportsExample ? ["--var", "EVENT_EXPORTS:[]"] : [];
  const withUrl = (address) => [
    "deploy",
    ...version,
    ...settled,
    ...(address ? ["--var", `PUBLIC_URL:${address}`] : []),
  ];
  const output = await must("Deploying", [...withUrl(url), ...secrets]);
  const address = url ?? /https:\/\/[^\s]+\.workers\.dev/.exec(output)?.[0];
  if (address === undefined) throw new Error("No address: give it with --url https://...");
  // Links in mails and events name the address, which is known only now.
  if (url === undefined) await must(`Deploying with PUBLIC_URL ${address}`, withUrl(address));
  say(`Asking ${address}/readyz`);
  if (!(await account.isReady(address)))
    throw new Error(`${address}/readyz does not answer 200: npx wrangler tail`);
  return address;
}

/** Those that the Worker does not have; all of them when there is no Worker yet. */
async function missingSecrets(account, required, config) {
  const { code, output } = await account.wrangler(["secret", "list", "--format", "json", ...config]);
  return code === 0 ? required.filter((name) => !output.includes(`"${name}"`)) : required;
}
