/** A Cloudflare account, played in memory for tests of the deployment. */

/** Where the Worker of a played account is served. */
export const ADDRESS = "https://meridian.someone.workers.dev";

/** An account that remembers what was created and set, as Cloudflare would. `ran` has every wrangler command, in order. */
export function playAccount(options: { failOn?: string } = {}) {
  const has = new Set<string>();
  const ran: string[] = [];
  const said: string[] = [];
  return {
    ran,
    said,
    has,
    async wrangler(args: readonly string[]) {
      const line = args.join(" ");
      ran.push(line);
      if (options.failOn !== undefined && line.startsWith(options.failOn)) return { code: 1, output: "no" };
      const [noun, verb, name = ""] = args;
      if (verb === "info") return { code: has.has(`${noun} ${name}`) ? 0 : 1, output: "" };
      if (verb === "create") has.add(`${noun} ${name}`);
      if (noun === "secret") {
        return has.has("worker") ? { code: 0, output: JSON.stringify([...has]) } : { code: 1, output: "" };
      }
      if (noun === "deploy") has.add("worker");
      return { code: 0, output: noun === "deploy" ? `Uploaded\n  ${ADDRESS}\n` : "" };
    },
    secretsFile(missing: readonly string[]) {
      for (const name of missing) has.add(name);
      return "secrets.json";
    },
    isReady: async () => true,
    say: (line: string) => void said.push(line),
  };
}
