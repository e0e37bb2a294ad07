/** Runs wrangler for the steps of a deployment. */

/**
 * Returns the ways to run wrangler.
 *
 * @param {import("../deployment.mjs").Account} account
 * @param {readonly string[]} config
 */
export function runner(account, config) {
  const wrangler = (args) => account.wrangler([...args, ...config]);
  const must = async (title, args, isFine = () => false) => {
    account.say(title);
    const { code, output } = await wrangler(args);
    if (code !== 0 && !isFine(output)) throw failure(title, output);
    return output;
  };
  return {
    account,
    wrangler,
    /** Says the title, runs, and returns the output. **Errors**: when it fails. */
    must,
    /** A token that may not look may still create: then what exists already is no failure. */
    create: (title, args) => must(title, args, (output) => /already (?:exists|taken)/i.test(output)),
    isThere: async (args) => (await wrangler(args)).code === 0,
    /**
     * Returns the JSON that a command prints; undefined when what it reads does not exist. **Errors**: any other
     * failure, because a lost answer must not pass for a first deployment, which makes new secrets.
     */
    async read(title, args) {
      const { code, output, stdout = output } = await wrangler(args);
      if (code === 0)
        return JSON.parse(stdout.slice(stdout.search(/[[{]/), stdout.search(/[\]}][^\]}]*$/) + 1));
      if (ABSENT.test(output)) return undefined;
      throw failure(title, output);
    },
  };
}

/** What wrangler says of a Worker that is not there, and of nothing else. */
const ABSENT = /Worker "[^"]*" not found|Worker \S+ has no deployments|\[code: (?:10007|10090)\]/;
const OFFLINE =
  /Unable to resolve Cloudflare's API hostname|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|fetch failed/;

/** Returns whether wrangler failed for want of a network. */
export function isOffline(output) {
  return OFFLINE.test(output);
}

/** Returns the error of a step: one line without a network, else what wrangler printed. */
export function failure(title, output) {
  const problem = isOffline(output)
    ? "Cloudflare cannot be reached. Is this machine online?"
    : `failed\n${output}`;
  return new Error(`${title}: ${problem}`);
}
