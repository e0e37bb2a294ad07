/** `npm run deploy`, mistyped: nothing is deployed, and one line says what was meant. */
import { execFileSync, type SpawnOptions, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { parseArguments } from "../../scripts/arguments.mjs";
import { unattended } from "../../scripts/deploy/account.mjs";
import { readCommit, versionFlags } from "../../scripts/deploy/commit.mjs";
import { DEPLOY } from "../../scripts/deploy/flags.mjs";
import { collect, spawnScript } from "../../scripts/tools.mjs";

const read = (args: readonly string[], environment = {}) => parseArguments(DEPLOY, args, environment).values;

test.each([
  ["--dryrun", "Unknown flag --dryrun: did you mean --dry-run? See"],
  ["--stgae preview", "Unknown flag --stgae: did you mean --stage? See"],
  ["--no-dry-run", "Unknown flag --no-dry-run. See"],
  ["preview", 'Unexpected argument "preview". See'],
  ["--dirty preview", 'Unexpected argument "preview". See'],
  ["-- --dry-run", 'Unexpected argument "--dry-run". See'],
  ["--dry-run=yes", "--dry-run takes no value. See"],
  ["--stage", "--stage takes a value: --stage <name>. See"],
  ["--stage=", "--stage takes a value: --stage <name>. See"],
  ["--stage --dry-run", "--stage takes a value: --stage <name>. See"],
  ["--stage a --stage b", "--stage is given twice. See"],
  ["--stage Preview", '--stage "Preview": a stage has up to 20 lower-case letters, digits and hyphens. See'],
  ["--stage a_b", '--stage "a_b": a stage has up to 20 lower-case letters'],
  ["--stage preview-", '--stage "preview-": a stage has up to 20 lower-case letters'],
  ["--stage production", '--stage "production": production is deployed without this flag. See'],
  ["--url api.acme.com", '--url "api.acme.com": an address looks like https://api.example.com. See'],
  ["--url http://api.acme.com", '--url "http://api.acme.com": an address looks like https://api.example.com'],
  ["--watch 5m", "--watch belongs to --gradual. See"],
  ["--gradual --watch", "--watch takes a value: --watch <5m>. See"],
  ["--gradual --watch 5", '--watch "5": a duration looks like 30s, 5m or 1h, up to 24h; or 0. See'],
  ["--gradual=10", "--gradual takes no value. See"],
])("npm run deploy -- %s is refused", (typed, problem) => {
  expect(() => read(typed.split(" "))).toThrow(problem);
});

test("a stage with a space in its name is refused", () => {
  expect(() => read(["--stage", "my stage"])).toThrow('--stage "my stage": a stage has up to 20');
});

test.each([
  ["--dry-run", [], { npm_config_dry_run: "true" }, "--dry-run"],
  ["--stage preview", ["preview"], { npm_config_stage: "true" }, "--stage preview"],
  ["--stage=preview", [], { npm_config_stage: "preview" }, "--stage preview"],
  ["--dryrun", [], { npm_config_dryrun: "true" }, "--dry-run"],
  ["--stgae=preview", [], { npm_config_stgae: "preview" }, "--stage preview"],
])("npm run deploy %s is refused, because npm takes what comes before --", (_, args, environment, meant) => {
  expect(() => read(args, environment)).toThrow(`npm run deploy -- ${meant}`);
});

test("what is typed well is read, whatever npm's own settings are", () => {
  const settings = {
    npm_config_cache: "/c",
    npm_config_save: "true",
    npm_config_tag: "next",
    npm_config_dry_run: "",
  };
  expect(read([], settings)).toEqual({});
  const args = ["--stage", "preview", "--dry-run", "--dirty", "--url=https://preview.acme.com"];
  const flags = { stage: "preview", "dry-run": true, dirty: true, url: "https://preview.acme.com" };
  expect(read(args, settings)).toEqual(flags);
});

test("a gradual rollout is watched for as long as was typed", () => {
  expect(read(["--watch", "1h", "--gradual"])).toEqual({ gradual: true, watch: "1h" });
});

/** A run that is not stopped, because a check is broken, must not reach the account of whoever runs the tests. */
const NO_ACCOUNT = {
  ...process.env,
  CLOUDFLARE_API_TOKEN: "none",
  CLOUDFLARE_API_BASE_URL: "http://127.0.0.1:1",
};

test.each([
  [["--help"], 0, "usage: npm run deploy -- [--dry-run]"],
  [["--frob"], 1, "Unknown flag --frob. See npm run deploy -- --help\n"],
])(
  "npm run deploy -- %s ends before anything is asked of git, npm or Cloudflare",
  async (args, code, said) => {
    const ran = await collect(
      spawnScript("scripts/deploy.mjs", args, { env: NO_ACCOUNT, stdio: ["ignore", "pipe", "pipe"] }),
    );
    expect(ran).toMatchObject({ code, output: expect.stringContaining(said) });
    expect(code === 0 || ran.output === said).toBe(true);
  },
);

/** Runs `npm run deploy` with what is typed behind it. */
async function runByNpm(typed: readonly string[], env: Record<string, string> = {}) {
  const shell = process.platform === "win32";
  const options: SpawnOptions = {
    env: { ...NO_ACCOUNT, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    shell,
  };
  return await collect(spawn("npm", ["run", "--silent", "deploy", ...typed], options));
}

test.each([
  ["--dry-run", "npm kept --dry-run for itself. Put two dashes in front: npm run deploy -- --dry-run"],
  ["--frobnicate", "Unknown flag --frobnicate, which npm kept for itself. See npm run deploy -- --help"],
  ["--ulr=x", "Unknown flag --ulr=x, which npm kept for itself. See npm run deploy -- --help"],
  ["--no-dirty", "Unknown flag --no-dirty, which npm kept for itself. See npm run deploy -- --help"],
])("npm run deploy %s, which npm keeps for itself, starts no deployment", async (typed, line) => {
  expect(await runByNpm([typed])).toMatchObject({ code: 1, output: `${line}\n` });
});

test("a setting of an .npmrc or of the environment that npm does not know is no flag", async () => {
  const folder = mkdtempSync(join(tmpdir(), "npmrc-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "npmrc"), "node-headers = /usr\n; a note\nsome[] = x\n");
  const env: Record<string, string> = { npm_config_userconfig: join(folder, "npmrc") };
  // Only Linux shows what npm's own environment was.
  if (process.platform === "linux") env.npm_config_sqlite = "/usr";
  expect(await runByNpm(["--", "--frob"], env)).toMatchObject({
    code: 1,
    output: "Unknown flag --frob. See npm run deploy -- --help\n",
  });
  expect(await runByNpm(["--frob"], env)).toMatchObject({
    code: 1,
    output: "Unknown flag --frob, which npm kept for itself. See npm run deploy -- --help\n",
  });
});

test("under a package manager whose settings are not known, only what is close to a flag is refused", () => {
  const settings = { npm_execpath: join(tmpdir(), "pnpm.cjs"), npm_config_node_linker: "hoisted" };
  expect(read([], settings)).toEqual({});
  expect(() => read([], { ...settings, npm_config_dryrun: "true" })).toThrow("npm kept --dry-run");
});

describe("the commit", () => {
  const folder = mkdtempSync(join(tmpdir(), "commit-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...args], {
      cwd: folder,
      encoding: "utf8",
    });

  test("is recorded with the version, and what is changed since is named", async () => {
    const outside = await readCommit(folder);
    expect(() => versionFlags(outside, false)).toThrow(
      /^No commit to record: git says "not a git repository.*--dirty$/,
    );
    expect(versionFlags(outside, true)).toEqual(["--tag", "no-commit", "--message", "no commit"]);

    git("init", "--quiet");
    expect(() => versionFlags({ ...outside, problem: "git is not installed" }, false)).toThrow(
      "git is not installed",
    );
    expect((await readCommit(folder)).id).toBeUndefined();

    mkdirSync(join(folder, "app"));
    writeFileSync(join(folder, "app/a.txt"), "1");
    git("add", ".");
    git("commit", "--quiet", "--message", "one");
    const id = git("rev-parse", "HEAD").trim();
    const clean = await readCommit(join(folder, "app"));
    expect(versionFlags(clean, false)).toEqual(["--tag", id.slice(0, 12), "--message", `commit ${id}`]);
    expect(versionFlags(clean, true)).toEqual(versionFlags(clean, false));

    writeFileSync(join(folder, "beside.txt"), "");
    expect((await readCommit(join(folder, "app"))).changed).toEqual([]);

    writeFileSync(join(folder, "app/a.txt"), "2");
    for (const name of ["b c.txt", "d", "e", "f", "g"]) writeFileSync(join(folder, "app", name), "");
    const dirty = await readCommit(join(folder, "app"));
    const line = "Not committed: app/a.txt, app/b c.txt, app/d, app/e, app/f and 1 more. ";
    expect(() => versionFlags(dirty, false)).toThrow(
      `${line}Commit them, or deploy them as they are with --dirty`,
    );
    expect(versionFlags(dirty, true)).toEqual([
      ...["--tag", `${id.slice(0, 12)}-dirty`],
      ...["--message", `commit ${id}-dirty`],
    ]);
  });

  test("a machine without git is named as such", async () => {
    const { PATH } = process.env;
    process.env.PATH = "/nowhere";
    const commit = await readCommit(folder).finally(() => {
      process.env.PATH = PATH;
    });
    expect(commit).toMatchObject({ id: undefined, problem: "git is not installed" });
  });
});

test("a build of Workers Builds deploys the Worker of the configuration, and a stage beside its project's", () => {
  process.env.WRANGLER_CI_OVERRIDE_NAME = "acme";
  process.env.WRANGLER_CI_MATCH_TAG = "tag";
  try {
    expect(unattended("production")).toMatchObject({ CI: "true", WRANGLER_CI_MATCH_TAG: "tag" });
    for (const stage of ["production", "preview"])
      expect(unattended(stage)).not.toHaveProperty("WRANGLER_CI_OVERRIDE_NAME");
    expect(unattended("preview")).not.toHaveProperty("WRANGLER_CI_MATCH_TAG");
  } finally {
    delete process.env.WRANGLER_CI_OVERRIDE_NAME;
    delete process.env.WRANGLER_CI_MATCH_TAG;
  }
});
