/** The real script in a copy of this project that was renamed: a dry run of a stage names nothing of production's. */
import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readConfiguration, readNames } from "../../scripts/deploy/configuration.mjs";
import { collect, nodeBinary } from "../../scripts/tools.mjs";

const NOT_COPIED = ["node_modules", ".git", ".wrangler", "dist", "test", "bench", "docs", "coverage"];
const DOMAIN = 'routes = [{ pattern = "api.acme.com", custom_domain = true }]\n';
let copy: string;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "renamed-"));
  const isWanted = (from: string) =>
    !NOT_COPIED.includes(basename(from)) || resolve(from, "..") !== resolve(".");
  cpSync(".", copy, { recursive: true, filter: isWanted });
  rmSync(join(copy, "wrangler.preview.json"), { force: true });
  // Links one by one: an installation in the copy would empty a folder that is a link as a whole.
  mkdirSync(join(copy, "node_modules"));
  for (const name of readdirSync("node_modules"))
    symlinkSync(resolve("node_modules", name), join(copy, "node_modules", name), "junction");
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** Runs the script without a login to Cloudflare, and as if the folder were not in git. */
async function run(flags: readonly string[], environment: Record<string, string> = {}) {
  const bare = {
    CLOUDFLARE_API_TOKEN: "",
    GIT_DIR: join(copy, "nowhere"),
    HOME: copy,
    XDG_CONFIG_HOME: copy,
  };
  const options = { cwd: copy, env: { ...process.env, ...bare, ...environment } };
  const args = [join(copy, "scripts/deploy.mjs"), ...flags];
  return await collect(spawn(nodeBinary(), args, { ...options, stdio: ["ignore", "pipe", "pipe"] }));
}

test.each([
  ["without a custom domain", "", "", "https://acme-preview.your-subdomain.workers.dev"],
  ["with a custom domain", DOMAIN, "", "https://acme-preview.your-subdomain.workers.dev"],
  ["with one of its own", DOMAIN, DOMAIN.replace("api.", "preview."), "https://preview.acme.com"],
])("--stage preview --dry-run prints no production name, %s", async (_, topLevel, own, address) => {
  const toml = topLevel + readFileSync("wrangler.toml", "utf8").replaceAll("meridian", "acme");
  writeFileSync(join(copy, "wrangler.toml"), toml);
  writeFileSync(join(copy, "stage.preview.toml"), own);
  const { worker, databases, queues } = readNames(readConfiguration(toml));
  const names = [worker, ...databases.map((it: { name: string }) => it.name), ...queues, "api.acme.com"];

  const { code, output } = await run(["--stage", "preview", "--dry-run"]);
  expect(output).toContain(`Asking ${address}/readyz\nDry run: nothing was changed.`);
  expect(code).toBe(0);
  const printed = output.split(/[\s'"=:,/]+/);
  expect(printed).toEqual(expect.arrayContaining(["acme-preview", "acme-preview-events-dead"]));
  expect(printed.filter((word) => names.includes(word))).toEqual([]);
  const commands = output.split("\n").filter((line) => line.startsWith("  wrangler "));
  expect(commands.filter((line) => !line.endsWith(" --config wrangler.preview.json --env="))).toEqual([]);
  expect(existsSync(join(copy, "wrangler.preview.json"))).toBe(false);
});

const OFFLINE = { CLOUDFLARE_API_TOKEN: "token", CLOUDFLARE_API_BASE_URL: "http://127.0.0.1:1" };
test.each([
  ["outside of git", [], {}, /^No commit to record: git says "[^\n]+ --dirty\n$/],
  [
    "without a login",
    ["--dirty"],
    {},
    /^Looking for a login\nNot logged in to Cloudflare: npx wrangler login,[^\n]+\n$/,
  ],
  ["without a network", ["--dirty"], OFFLINE, /^Looking for a login\n[^\n]+ Is this machine online\?\n$/],
])("%s the script stops with one line, and makes no secrets", async (_, flags, environment, said) => {
  const { code, output } = await run(flags, environment);
  expect(output).toMatch(said);
  expect(code).toBe(1);
  expect(existsSync(join(copy, ".deploy-secrets.production.json"))).toBe(false);
});

test("a migration that takes something away stops the deployment before anything is changed", async () => {
  const file = join(copy, "migrations/9999_drop_users.sql");
  writeFileSync(file, "drop table users;\n");
  try {
    const { code, output } = await run(["--dry-run"]);
    expect(output).toMatch(/^migrations\/9999_drop_users\.sql:1: drop table users\n/);
    expect(code).toBe(1);
  } finally {
    rmSync(file);
  }
});
