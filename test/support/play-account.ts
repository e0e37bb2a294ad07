/** A Cloudflare account, played in memory for tests of the deployment. */

/** Where the Worker of a played account is served. */
export const ADDRESS = "https://meridian.someone.workers.dev";

interface Options {
  /** A command that fails, by how it starts. */
  failOn?: string;
  /** What a failed command prints. */
  failure?: string;
  isLoggedIn?: boolean;
}

/**
 * An account that remembers what was created and set, as Cloudflare would. `ran` has every wrangler command, in order;
 * `variables` are the deployed ones.
 */
export function playAccount(options: Options = {}) {
  const has = new Set<string>();
  const ran: string[] = [];
  const said: string[] = [];
  const variables = new Map<string, string>();
  const absent = { code: 1, output: 'Worker "meridian" not found.' };
  const deployed = (print: () => unknown) =>
    has.has("worker") ? { code: 0, output: JSON.stringify(print()) } : absent;
  return {
    ran,
    said,
    has,
    variables,
    async wrangler(args: readonly string[]) {
      const line = args.join(" ");
      ran.push(line);
      const fails = options.failOn !== undefined && line.startsWith(options.failOn);
      if (fails) return { code: 1, output: options.failure ?? "no" };
      const [noun, verb, name = ""] = args;
      if (noun === "whoami") {
        const loggedIn = options.isLoggedIn ?? true;
        return { code: loggedIn ? 0 : 1, output: JSON.stringify({ loggedIn }, null, 2) };
      }
      if (verb === "info") return { code: has.has(`${noun} ${name}`) ? 0 : 1, output: "" };
      if (verb === "create") has.add(`${noun} ${name}`);
      if (noun === "secret") return deployed(() => [...has].map((it) => ({ name: it, type: "secret_text" })));
      if (noun === "deployments")
        return deployed(() => ({ versions: [{ version_id: "v1", percentage: 100 }] }));
      if (noun === "versions" && verb === "view") {
        const bindings = [...variables].map(([key, text]) => ({ type: "plain_text", name: key, text }));
        return deployed(() => ({ id: name, resources: { bindings } }));
      }
      if (noun === "deploy") {
        has.add("worker");
        variables.clear();
        for (const [, key = "", text = ""] of line.matchAll(/--var ([A-Z_]+):(\S*)/g))
          variables.set(key, text);
      }
      return { code: 0, output: noun === "deploy" ? `Uploaded\n  ${ADDRESS}\n` : "" };
    },
    secretsFile(missing: readonly string[]) {
      for (const name of missing) has.add(name);
      return "secrets.json";
    },
    isReady: async (_url: string) => true,
    say: (line: string) => void said.push(line),
  };
}
