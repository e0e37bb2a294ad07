/** A Cloudflare account, played in memory for tests of the deployment. */

/** Where the Worker of a played account is served. */
export const ADDRESS = "https://meridian.someone.workers.dev";

interface Options {
  /** A command that fails, by how it starts. */
  failOn?: string;
  /** What a failed command prints. */
  failure?: string;
  isLoggedIn?: boolean;
  /** Hosts that are a custom domain of another Worker, by that Worker's name. */
  taken?: Record<string, string>;
  /** Hosts with DNS records of another origin. */
  records?: readonly string[];
}

/**
 * An account that remembers what was created and set, as Cloudflare would. `ran` has every wrangler command, in order;
 * `variables` are the deployed ones, `domains` the attached hosts.
 */
export function playAccount(options: Options = {}) {
  const has = new Set<string>();
  const ran: string[] = [];
  const said: string[] = [];
  const domains: string[] = [];
  const variables = new Map<string, string>();
  const absent = { code: 1, output: 'Worker "meridian" not found.' };
  const deployed = (print: () => unknown) =>
    has.has("worker") ? { code: 0, output: JSON.stringify(print()) } : absent;
  return {
    ran,
    said,
    has,
    domains,
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
    /** Refuses what Cloudflare refuses when no `override_...` is sent. */
    async api(method: string, path: string, body?: { origins?: { hostname: string }[] }) {
      if (method === "GET") {
        const hostname = new URL(path, ADDRESS).searchParams.get("hostname") ?? "";
        const service = options.taken?.[hostname];
        return { result: service === undefined ? [] : [{ hostname, service }] };
      }
      const hosts = (body?.origins ?? []).map(({ hostname }) => hostname);
      const overrides = JSON.stringify(body);
      const isTaken = hosts.some((host) => options.taken?.[host] !== undefined);
      if (isTaken && !overrides.includes('"override_existing_origin":true'))
        return { errors: "Cloudflare says: Hostname is in use [code: 100116]." };
      const hasRecords = hosts.some((host) => options.records?.includes(host));
      if (hasRecords && !overrides.includes('"override_existing_dns_record":true'))
        return {
          errors: "Cloudflare says: Hostname already has externally managed DNS records [code: 100117].",
        };
      domains.splice(0, domains.length, ...hosts);
      return { result: {} };
    },
    secretsFile(missing: readonly string[]) {
      for (const name of missing) has.add(name);
      return "secrets.json";
    },
    isReady: async (_url: string) => true,
    say: (line: string) => void said.push(line),
  };
}
