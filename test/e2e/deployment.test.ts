/** A deployment, with an account played by the test. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { prepare, readConfiguration, readNames } from "../../scripts/deploy/configuration.mjs";
import { deploy } from "../../scripts/deployment.mjs";
import { consume } from "../../src/jobs/queue";
import { ADDRESS, playAccount } from "../support/play-account";

const TOML = readFileSync("wrangler.toml", "utf8");
/** The project as it is, and with lines at its top level. */
const project = (flags: { stage?: string; url?: string } = {}, topLevel = "") => ({
  ...prepare(topLevel + TOML, flags),
  config: [],
});
const DOMAIN = 'routes = [{ pattern = "api.acme.com", custom_domain = true }]\n';
const NAMES = readNames(readConfiguration(TOML));

test("an empty account gets everything that wrangler.toml names, the schema before the code", async () => {
  const account = playAccount();
  expect(await deploy(account, project())).toBe(ADDRESS);
  for (const queue of ["meridian-events", "meridian-webhooks", "meridian-events-dead", "meridian-example"]) {
    expect(account.has).toContain(`queues ${queue}`);
  }
  expect(account.has).toContain("d1 meridian");
  for (const secret of ["JWT_SIGNING_KEYS", "METRICS_TOKEN", "EVENTS_TOKEN", "DATA_KEY"]) {
    expect(account.has).toContain(secret);
  }
  const steps = account.ran.map((line) => line.split(" ").slice(0, 2).join(" "));
  expect(steps.indexOf("d1 migrations")).toBeLessThan(
    steps.findIndex((step) => step.startsWith("deploy --")),
  );
});

test("links lead to the address, and the example's queue is not fed", async () => {
  const account = playAccount();
  await deploy(account, project());
  const last = account.ran.findLast((line) => line.startsWith("deploy "));
  expect(last).toBe(`deploy --var EVENT_EXPORTS:[] --var PUBLIC_URL:${ADDRESS}`);
});

test("a second deployment creates nothing and sets no secret again", async () => {
  const account = playAccount();
  await deploy(account, project());
  account.ran.length = 0;
  await deploy(account, project({ url: "https://api.example" }));
  expect(account.ran.filter((line) => line.includes("create") || line.includes("--secrets-file"))).toEqual(
    [],
  );
  expect(account.ran.filter((line) => line.startsWith("deploy "))).toHaveLength(1);
});

test("what fails ends it before the code is deployed", async () => {
  const account = playAccount({ failOn: "d1 migrations" });
  await expect(deploy(account, project())).rejects.toThrow("Migrating meridian: failed");
  expect(account.ran.some((line) => line.startsWith("deploy "))).toBe(false);
});

test("what is there already, though the token may not look, is no failure", async () => {
  const account = playAccount();
  const wrangler = async (args: readonly string[]) => {
    if (args[1] === "info") return { code: 1, output: "Authentication error" };
    if (args[1] === "create") return { code: 1, output: `Queue name ${args[2]} is already taken` };
    return await account.wrangler(args);
  };
  expect(await deploy({ ...account, wrangler }, project())).toBe(ADDRESS);
  const refused = async (args: readonly string[]) =>
    args[1] === "create" ? { code: 1, output: "Authentication error" } : await wrangler(args);
  await expect(deploy({ ...account, wrangler: refused }, project())).rejects.toThrow(
    "Creating database meridian: failed",
  );
});

test("the deploy button asks for every secret, with a word on each", () => {
  const { bindings } = JSON.parse(readFileSync("package.json", "utf8")).cloudflare;
  const example = readFileSync(".dev.vars.example", "utf8");
  for (const secret of NAMES.secrets.map(String)) {
    expect(bindings[secret]?.description).toMatch(/\w/);
    expect(example).toMatch(new RegExp(`^${secret}=\\S`, "m"));
  }
  const named = [...TOML.matchAll(/^(?:binding|name) = "([A-Z_]+)"|^([A-Z_]+) = /gm)].map(
    ([, binding = "", variable = ""]) => binding || variable,
  );
  expect(Object.keys(bindings).filter((name) => !/TOKEN|KEY/.test(name) && !named.includes(name))).toEqual(
    [],
  );
});

test("PUBLIC_URL stays as it was deployed, and a deployment with it is only one", async () => {
  const account = playAccount();
  await deploy(account, project({ url: "https://api.example" }));
  account.ran.length = 0;
  expect(await deploy(account, project())).toBe("https://api.example");
  expect(account.variables.get("PUBLIC_URL")).toBe("https://api.example");
  expect(account.ran.filter((line) => line.startsWith("deploy "))).toHaveLength(1);
});

test.each(["deployments status", "versions view", "secret list"])(
  "a lost answer to %s is not taken for a first deployment, which would replace the secrets",
  async (command) => {
    const account = playAccount();
    await deploy(account, project());
    account.ran.length = 0;
    const wrangler = async (args: readonly string[]) =>
      args.join(" ").startsWith(command) ? { code: 1, output: "Account not found" } : account.wrangler(args);
    const made: string[] = [];
    const secretsFile = (names: readonly string[]) => `${made.push(...names)}.json`;
    await expect(deploy({ ...account, wrangler, secretsFile }, project())).rejects.toThrow(
      "Account not found",
    );
    expect(made).toEqual([]);
    expect(account.ran.filter((line) => line.startsWith("deploy "))).toEqual([]);
  },
);

test("without a login it stops at once, and says which command logs in", async () => {
  const account = playAccount({ isLoggedIn: false });
  await expect(deploy(account, project())).rejects.toThrow("npx wrangler login");
  expect(account.ran).toEqual(["whoami --json"]);
});

test("a token that may not name its user goes on", async () => {
  const account = playAccount({ failOn: "whoami", failure: "Authentication error [code: 10000]" });
  expect(await deploy(account, project())).toBe(ADDRESS);
});

test("without a network it stops with one line", async () => {
  const failure = "Unable to resolve Cloudflare's API hostname (api.cloudflare.com).\nThis is typically ...";
  const account = playAccount({ failOn: "whoami", failure });
  const line = "Looking for a login: Cloudflare cannot be reached. Is this machine online?";
  await expect(deploy(account, project())).rejects.toThrow(new Error(line));
});

test("the address of wrangler.toml is PUBLIC_URL, unless it is the local one", async () => {
  const account = playAccount();
  await deploy(account, project({ url: "https://api.example/" }));
  expect(account.variables.get("PUBLIC_URL")).toBe("https://api.example");
  const settled = TOML.replace("http://localhost:8787", "https://www.acme.com/");
  expect(await deploy(account, { ...prepare(settled, {}), config: [] })).toBe("https://www.acme.com");
});

test("a first deployment with a custom domain has that address from the start", async () => {
  const account = playAccount();
  expect(await deploy(account, project({}, DOMAIN))).toBe("https://api.acme.com");
  expect(account.variables.get("PUBLIC_URL")).toBe("https://api.acme.com");
  expect(account.domains).toEqual(["api.acme.com"]);
  expect(account.ran.filter((line) => line.startsWith("deploy "))).toHaveLength(1);
});

test("a domain that is added later does not change PUBLIC_URL by itself, and the run says how to", async () => {
  const account = playAccount();
  await deploy(account, project());
  expect(await deploy(account, project({}, DOMAIN))).toBe(ADDRESS);
  expect(account.said).toContain(`PUBLIC_URL stays ${ADDRESS}; --url https://api.acme.com changes it`);
});

test("an address that the routes leave open is asked for before anything is created", async () => {
  const account = playAccount();
  const routes = 'routes = ["api.acme.com/*", { pattern = "*.acme.org/*", zone_name = "acme.org" }]\n';
  await expect(deploy(account, project({}, routes))).rejects.toThrow("--url");
  expect([...account.has]).toEqual([]);
});

test("a domain of another Worker is not taken over, and nothing is changed", async () => {
  const account = playAccount({ taken: { "api.acme.com": "shop" } });
  await expect(deploy(account, project({}, DOMAIN))).rejects.toThrow(
    "api.acme.com belongs to the Worker shop",
  );
  expect([...account.has]).toEqual([]);
  expect(account.domains).toEqual([]);
});

test("a domain of another Worker is not taken over by a token that may not look, either", async () => {
  const account = playAccount({ taken: { "api.acme.com": "shop" } });
  const api: typeof account.api = async (method, path, body) =>
    method === "GET" ? { errors: "Authentication error" } : await account.api(method, path, body);
  const refused = deploy({ ...account, api }, project({}, DOMAIN));
  await expect(refused).rejects.toThrow("Not attached: api.acme.com. Cloudflare says: Hostname is in use");
  expect(account.domains).toEqual([]);
});

test("DNS records of another origin are not replaced", async () => {
  const account = playAccount({ records: ["api.acme.com"] });
  const refused = deploy(account, project({}, DOMAIN));
  await expect(refused).rejects.toThrow("Not attached: api.acme.com. Cloudflare says: Hostname already has");
  expect(account.domains).toEqual([]);
});

test("wrangler, which would take domains over, gets none, and its default for workers.dev stays", () => {
  const { config } = prepare(DOMAIN + TOML, {});
  expect(config).toMatchObject({ routes: [], workers_dev: false });
  const route = 'route = "api.acme.com/v1/*"\n';
  expect(prepare(route + TOML, {}).config).toMatchObject({ routes: [{ pattern: "api.acme.com/v1/*" }] });
  expect(prepare(TOML, {}).config).toMatchObject({ routes: [], workers_dev: true });
});

test("webhooks must not lead to the zones of the routes, nor to the domains that are listed", async () => {
  const account = playAccount();
  const listed = TOML.replace("[vars]", '[vars]\nWEBHOOK_DENIED_DOMAINS = "acme.net, acme.org"');
  const routes = `routes = [
    "API.acme.com/v1/*", "*.acme.dev/*", "*/*", { pattern = "x.acme.org/*", zone_name = "acme.org" },
    { pattern = "api.acme.io", custom_domain = true },
  ]\n`;
  await deploy(account, { ...prepare(routes + listed, {}), config: [] });
  const domains = account.variables.get("WEBHOOK_DENIED_DOMAINS")?.split(",");
  expect(domains).toEqual(["acme.net", "acme.org", "api.acme.com", "acme.dev", "api.acme.io"]);
  const without = playAccount();
  await deploy(without, { ...prepare(listed, {}), config: [] });
  expect(without.variables.has("WEBHOOK_DENIED_DOMAINS")).toBe(false);
});

test("a route without its zone is named, because webhooks are denied to its host alone", async () => {
  const warningsOf = async (routes: string, toml = TOML) => {
    const account = playAccount();
    const { names } = prepare(`routes = [${routes}]\n${toml}`, {});
    await deploy(account, { names, config: [], url: "https://api.example" });
    return account.said.filter((line) => line.startsWith("Warning"));
  };
  const advice = "give its route a zone_name, or list the zone in WEBHOOK_DENIED_DOMAINS";
  const warning = (host: string) =>
    `Warning: webhooks are denied to ${host}, and not to the rest of its zone: ${advice}`;
  expect(await warningsOf('{ pattern = "api.acme.com", custom_domain = true }')).toEqual([
    warning("api.acme.com"),
  ]);
  const others = '"*.eu.acme.io/*", { pattern = "x.acme.dev/*", zone_id = "1" }';
  expect(await warningsOf(others)).toEqual([warning("eu.acme.io"), warning("x.acme.dev")]);
  const named = '{ pattern = "api.acme.com", custom_domain = true, zone_name = "acme.com" }, "acme.io/*"';
  expect(await warningsOf(named)).toEqual([]);
  const listed = TOML.replace("[vars]", '[vars]\nWEBHOOK_DENIED_DOMAINS = "acme.net, Acme.com"');
  expect(await warningsOf('"api.acme.com/*"', listed)).toEqual([]);
});

test("every upload records the commit, and every command reads the configuration that was written", async () => {
  const account = playAccount();
  const version = ["--tag", "0123456789ab", "--message", "commit 0123456789ab"];
  const config = ["--config", "wrangler.production.json", "--env="];
  await deploy(account, { ...project(), version, config });
  const uploads = account.ran.filter((line) => line.startsWith("deploy "));
  expect(uploads).toHaveLength(2);
  for (const line of uploads) expect(line).toContain(version.join(" "));
  for (const line of account.ran) expect(line).toContain(config.join(" "));
});

test("every database is created, and those with migrations of this project are migrated", async () => {
  const account = playAccount();
  const second = '\n[[d1_databases]]\nbinding = "REPORTS"\ndatabase_name = "reports"\n';
  await deploy(account, { ...prepare(TOML + second, {}), config: [] });
  expect(account.has).toContain("d1 reports");
  const migrated = account.ran.filter((line) => line.startsWith("d1 migrations"));
  expect(migrated).toEqual(["d1 migrations apply meridian --remote"]);
});

test.each(["production", "preview"])(
  "in %s what the queues give up is taken back, and everything else is dispatched",
  async (stage) => {
    const { config } = prepare(TOML, stage === "production" ? {} : { stage });
    const consumers: { queue: string; dead_letter_queue?: string }[] = config.queues.consumers;
    const given = consumers.flatMap(({ dead_letter_queue }) => dead_letter_queue ?? []);
    const taken = new Map<string | undefined, string>();
    for (const { queue } of consumers) {
      const dispatcher = {
        dispatch: async () => void taken.set(queue, "dispatched"),
        takeBack: async () => void taken.set(queue, "taken back"),
      };
      await consume({ queue } as MessageBatch, dispatcher);
    }
    const consumed = consumers.map(({ queue }) => queue);
    expect(consumed).toEqual(expect.arrayContaining(given));
    const expected = consumed.map(
      (queue) => [queue, given.includes(queue) ? "taken back" : "dispatched"] as const,
    );
    expect(taken).toEqual(new Map(expected));
    expect(given).toHaveLength(2);
  },
);

test.each([
  [
    "renamed",
    ["meridian-events-dead", "meridian-lost"],
    "dead-letter queue meridian-lost must end with -events-dead",
  ],
  [
    "without a consumer",
    ['queue = "meridian-events-dead"\nmax_batch_size = 10\nmax_batch_timeout = 5', 'queue = "elsewhere"'],
    "Dead-letter queue meridian-events-dead has no consumer",
  ],
  [
    "that is another queue's name",
    ["meridian-webhooks", "meridian-webhook-events-dead"],
    "queue meridian-webhook-events-dead ends with -events-dead, but",
  ],
] as const)("a dead-letter queue %s stops the deployment", async (_, [from, to], problem) => {
  const toml = TOML.replaceAll(from, to);
  expect(toml).not.toBe(TOML);
  for (const flags of [{}, { stage: "preview" }])
    expect(() => prepare(toml, flags)).toThrow(
      problem.replace("meridian-", flags.stage ? "meridian-preview-" : "meridian-"),
    );
});
