/** The configuration of a stage: nothing in it is production's. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { checkFolder, prepare, readConfiguration } from "../../scripts/deploy/configuration.mjs";
import { sharedWith } from "../../scripts/deploy/separation.mjs";
import { deploy } from "../../scripts/deployment.mjs";
import { stageConfig } from "../../scripts/stage.mjs";
import { playAccount } from "../support/play-account";

/** Another product, which uses more of Cloudflare than this project does. */
const ACME = `
name = "acme"
main = "dist/worker.js"
no_bundle = true
workers_dev = false
logpush = true
routes = [{ pattern = "api.acme.com", custom_domain = true }]
tail_consumers = [{ service = "logs" }]
rules = [{ type = "ESModule", globs = ["chunks/*.js"] }]
[build]
command = "node scripts/build.mjs"
[vars]
PUBLIC_URL = "https://api.acme.com"
MAIL_FROM = "Acme <hello@acme.com>"
[[d1_databases]]
binding = "DB"
database_name = "acme"
database_id = "11111111-1111-1111-1111-111111111111"
preview_database_id = "22222222-2222-2222-2222-222222222222"
migrations_dir = "migrations"
[[kv_namespaces]]
binding = "CACHE"
id = "0123456789abcdef0123456789abcdef"
preview_id = "fedcba9876543210fedcba9876543210"
[[r2_buckets]]
binding = "FILES"
bucket_name = "files-of-acme"
[[queues.producers]]
binding = "EVENTS"
queue = "orders-in"
[[queues.consumers]]
queue = "orders-in"
dead_letter_queue = "acme-events-dead"
[[queues.consumers]]
queue = "acme-events-dead"
[[analytics_engine_datasets]]
binding = "ANALYTICS"
dataset = "acme_points"
[[ratelimits]]
name = "SHIELD"
namespace_id = "1001"
simple = { limit = 10, period = 10 }
[[services]]
binding = "SELF"
service = "acme"
entrypoint = "Users"
[[durable_objects.bindings]]
name = "LIMITER"
class_name = "Limiter"
script_name = "acme"
[[workflows]]
binding = "SHIPPING"
name = "acme-shipping"
class_name = "Shipping"
[[migrations]]
tag = "v1"
new_sqlite_classes = ["Limiter"]
`;
const production = readConfiguration(ACME);

/** Every text and number in a value, with its path. */
function leavesOf(value: unknown, path: string[] = []): { path: string[]; value: unknown }[] {
  if (typeof value !== "object" || value === null) return [{ path, value }];
  return Object.entries(value).flatMap(([key, it]) => leavesOf(it, [...path, key]));
}

/** The value with one leaf changed. */
function withLeaf(value: Record<string, unknown>, path: readonly string[], leaf: unknown) {
  const copy = structuredClone(value);
  // biome-ignore lint/suspicious/noExplicitAny: a path of any depth
  const parent = path.slice(0, -1).reduce((it: any, key, index) => {
    it[key] ??= /^\d+$/.test(path[index + 1] ?? "") ? [] : {};
    return it[key];
  }, copy);
  parent[path.at(-1) ?? ""] = leaf;
  return copy;
}

describe("a stage of another product", () => {
  const staged = stageConfig(production, "preview");

  test("has names of its own for everything", () => {
    expect(staged).toMatchObject({
      name: "acme-preview",
      d1_databases: [{ database_name: "acme-preview" }],
      r2_buckets: [{ bucket_name: "preview-files-of-acme" }],
      queues: {
        producers: [{ queue: "preview-orders-in" }],
        consumers: [
          { queue: "preview-orders-in", dead_letter_queue: "acme-preview-events-dead" },
          { queue: "acme-preview-events-dead" },
        ],
      },
      analytics_engine_datasets: [{ dataset: "acme-preview_points" }],
      services: [{ service: "acme-preview", entrypoint: "Users" }],
      durable_objects: { bindings: [{ script_name: "acme-preview", name: "LIMITER" }] },
      workflows: [{ name: "acme-preview-shipping" }],
    });
    expect(staged.ratelimits[0].namespace_id).toMatch(/^\d+$/);
    expect(staged.ratelimits[0].namespace_id).not.toBe("1001");
  });

  test("has none of production's ids, routes, addresses and receivers of logs", () => {
    expect(staged.d1_databases[0]).not.toHaveProperty("database_id");
    expect(staged.d1_databases[0]).not.toHaveProperty("preview_database_id");
    expect(staged.kv_namespaces).toEqual([{ binding: "CACHE" }]);
    for (const field of ["routes", "workers_dev", "tail_consumers", "logpush"])
      expect(staged).not.toHaveProperty(field);
    expect(staged.vars).toEqual({ PUBLIC_URL: "http://localhost:8787", MAIL_FROM: "Acme <hello@acme.com>" });
    expect(prepare(ACME, { stage: "preview" }).config).toMatchObject({ routes: [], workers_dev: true });
  });

  test("is built as production is", () => {
    for (const field of ["main", "no_bundle", "rules", "build", "migrations"])
      expect(staged[field]).toEqual(production[field]);
  });
});

test("what a stage says for itself wins over what is derived", () => {
  const own = `
    routes = [{ pattern = "preview.acme.com", custom_domain = true }]
    [vars]
    MAIL_FROM = "Preview <preview@acme.com>"
    [[d1_databases]]
    binding = "DB"
    database_id = "33333333-3333-3333-3333-333333333333"`;
  const { config, names } = prepare(ACME, { stage: "preview" }, own);
  expect(config.d1_databases).toEqual([
    {
      binding: "DB",
      database_name: "acme-preview",
      database_id: "33333333-3333-3333-3333-333333333333",
      migrations_dir: "migrations",
    },
  ]);
  expect(config.vars.MAIL_FROM).toBe("Preview <preview@acme.com>");
  expect(names).toMatchObject({ domainAddress: "https://preview.acme.com", hasWorkersDev: false });
});

function wouldShare(shared: string) {
  return new Error(
    `Stage preview would share with production: ${shared}. Give it its own in stage.preview.toml`,
  );
}

describe("the run stops when a stage would share", () => {
  const staged = stageConfig(production, "preview");
  const at = (path: readonly string[]) =>
    leavesOf(staged).find((it) => it.path.join() === path.join())?.value;
  const derived = leavesOf(production).filter(
    ({ path, value }) => typeof value === "string" && at(path) !== value,
  );

  test.each(derived.map(({ path, value }) => [path.join("."), path, value] as const))(
    "%s, because its derivation is broken",
    (_, path, value) => {
      expect(sharedWith(production, staged)).toEqual([]);
      expect(sharedWith(production, withLeaf(staged, path, value))).toHaveLength(1);
    },
  );

  test.each([
    ["an id that wrangler cannot create", '[[hyperdrive]]\nbinding = "PG"\nid = "a1b2"', "id a1b2"],
    ["another team's Worker", '[[services]]\nbinding = "PAY"\nservice = "payments"', "Worker payments"],
    [
      "a name that production has as it would be derived",
      '[[r2_buckets]]\nbinding = "B"\nbucket_name = "acme-x"\n[[r2_buckets]]\nbinding = "C"\nbucket_name = "acme-preview-x"',
      "bucket_name acme-preview-x",
    ],
  ])("%s", (_, toml, shared) => {
    expect(() => prepare(`${ACME}\n${toml}\n`, { stage: "preview" })).toThrow(wouldShare(shared));
  });

  test.each([
    ["a name", 'name = "acme"', "Worker acme"],
    ["a database", '[[d1_databases]]\nbinding = "DB"\ndatabase_name = "acme"', "database_name acme"],
    ["a domain", 'route = { pattern = "api.acme.com", custom_domain = true }', "route api.acme.com"],
    ["a call", '[[services]]\nbinding = "SELF"\nservice = "acme"', "Worker acme"],
    ["an address", '[vars]\nPUBLIC_URL = "https://api.acme.com/"', "PUBLIC_URL api.acme.com"],
  ])("%s of production that its own file claims", (_, own, shared) => {
    expect(() => prepare(ACME, { stage: "preview" }, own)).toThrow(wouldShare(shared));
  });

  test.each([
    ["api.acme.com/*", "api.acme.com/*"],
    ["https://API.acme.com./v1/*", "https://API.acme.com./v1/*"],
    ["*.acme.com/*", "*.acme.com/*"],
    ["*acme.com/*", "*acme.com/*"],
  ])("the route %s, which would get what production's domain gets", (pattern, shown) => {
    const own = `routes = [{ pattern = "${pattern}", zone_name = "acme.com" }]`;
    expect(() => prepare(ACME, { stage: "preview" }, own)).toThrow(wouldShare(`route ${shown}`));
  });

  test("but a host of its own below production's wildcard is its own", () => {
    const wild = ACME.replace(
      /^routes = .*$/m,
      'routes = [{ pattern = "*.acme.com/*", zone_name = "acme.com" }]',
    );
    const own = 'routes = [{ pattern = "preview.acme.com/*", zone_name = "acme.com" }]';
    expect(prepare(wild, { stage: "preview" }, own).config.routes).toHaveLength(1);
    expect(() => prepare(wild, { stage: "preview" }, own.replace("preview.", "*."))).toThrow(
      wouldShare("route *.acme.com/*"),
    );
  });

  test("but it may choose to call another team's Worker, which production calls too", () => {
    const service = '[[services]]\nbinding = "PAY"\nservice = "payments"\n';
    const { config } = prepare(ACME + service, { stage: "preview" }, service);
    expect(config.services[1]).toEqual({ binding: "PAY", service: "payments" });
  });
});

test("a named environment of wrangler is not taken for the stage's own file", () => {
  const toml = `${ACME}[env.preview]\nroutes = []\n`;
  expect(() => prepare(toml, { stage: "preview" })).toThrow("move what it says to stage.preview.toml");
  expect(prepare(toml, { stage: "other" }).config).not.toHaveProperty("env");
  expect(prepare(toml, {}).config).not.toHaveProperty("env");
});

test.each([
  ["https://api.acme.com", "a host of its routes"],
  ["https://API.acme.com.:8443/x", "the same, spelled otherwise"],
  ["https://acme.someone.workers.dev", "its address at workers.dev"],
  ["https://acme.example", "what it was deployed with last"],
])("a stage does not get production's address: %s, %s", async (url) => {
  const account = playAccount();
  await deploy(account, { ...prepare(ACME, { url: "https://acme.example" }), config: [] });
  const before = [...account.has];
  await expect(deploy(account, { ...prepare(ACME, { stage: "preview", url }), config: [] })).rejects.toThrow(
    `${url} is production's address`,
  );
  expect([...account.has]).toEqual(before);
});

test("a stage gets no address that only production's wildcard answers", async () => {
  const wild = ACME.replace(
    /^routes = .*$/m,
    'routes = [{ pattern = "*.acme.com/*", zone_name = "acme.com" }]',
  );
  const url = "https://preview.acme.com";
  const own = 'routes = [{ pattern = "preview.acme.com/*", zone_name = "acme.com" }]';
  const at = (file: string) =>
    deploy(playAccount(), { ...prepare(wild, { stage: "preview", url }, file), config: [] });
  await expect(at("")).rejects.toThrow(`${url} is production's address`);
  await expect(at(own)).resolves.toBe(url);
});

describe("before anything is changed, one line names", () => {
  test.each([
    [
      "a key of the top level",
      'route = "preview.acme.com/*"\nworker_dev = true',
      "worker_dev: did you mean workers_dev?",
    ],
    ["a table", "[observabilty]\nenabled = true", "observabilty: did you mean observability?"],
    [
      "a key of a list's entry",
      '[[d1_databases]]\nbindng = "DB"\ndatabase_id = "3"',
      "d1_databases.bindng: did you mean binding?",
    ],
    [
      "a key further down",
      "[[queues.consumers]]\nqueue = 'preview-orders-in'\nmax_retires = 3",
      "queues.consumers.max_retires: did you mean max_retries?",
    ],
    [
      "a key of a route",
      'routes = [{ pattern = "preview.acme.com", custom_domian = true }]',
      "routes.custom_domian: did you mean custom_domain?",
    ],
    ["a key that is like no other", "frobnicate = 1", "frobnicate: wrangler knows no such key"],
  ])("%s that wrangler does not know", (_, toml, problem) => {
    const line = (file: string) => new Error(`${file}: unknown key ${problem}`);
    expect(() => prepare(ACME, { stage: "preview" }, toml)).toThrow(line("stage.preview.toml"));
    expect(() => readConfiguration(`name = "acme"\n${toml}`)).toThrow(line("wrangler.toml"));
  });

  test.each(["Acme Shop", "acme.shop", "-acme", "Acme", "a".repeat(64), ""])(
    "a Worker's name that Cloudflare refuses: %j",
    (name) => {
      const rule = `cannot be ${JSON.stringify(name)}: it has up to 63 lower-case letters, digits,`;
      expect(() => prepare(ACME.replace('"acme"', `"${name}"`), {})).toThrow(rule);
      expect(() => prepare(ACME, { stage: "preview" }, `name = "${name}"`)).toThrow(rule);
    },
  );

  test("a stage's name that becomes too long with the Worker's", () => {
    const long = ACME.replaceAll('"acme"', `"${"a".repeat(60)}"`);
    expect(() => prepare(long, { stage: "preview" })).toThrow(`"${"a".repeat(60)}-preview": it has up to 63`);
    expect(prepare(long, {}).config.name).toHaveLength(60);
  });
});

test("npm run check tells of what would stop a deployment", () => {
  expect(readFileSync("scripts/check.mjs", "utf8")).toContain("checkFolder()");
  expect(checkFolder()).toBe("");
  const folder = mkdtempSync(join(tmpdir(), "stages-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "wrangler.toml"), ACME);
  writeFileSync(join(folder, "stage.good.toml"), "workers_dev = true");
  writeFileSync(join(folder, "stage.preview.toml"), 'name = "acme"');
  writeFileSync(join(folder, "stage.typo.toml"), "worker_dev = true");
  expect(checkFolder(folder).split("\n").sort()).toEqual([
    wouldShare("Worker acme").message,
    "stage.typo.toml: unknown key worker_dev: did you mean workers_dev?",
  ]);
});

test("an invalid file is one line with its place", () => {
  expect(() => readConfiguration('name = "acme"\nmain = \n')).toThrow(/^wrangler\.toml, line 2: [^\n]+$/);
  expect(() => prepare(ACME, { stage: "preview" }, "[vars")).toThrow(
    /^stage\.preview\.toml, line 1: [^\n]+$/,
  );
  expect(() => readConfiguration("")).toThrow("wrangler.toml gives the Worker no name");
});
