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
  };
}

function failure(title, output) {
  return new Error(`${title}: failed\n${output}`);
}
