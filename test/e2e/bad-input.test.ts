/** What a person may get wrong: each ends in one line that says what to do, with exit code 1, before anything is changed. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { ROOT, runScript } from "../../scripts/tools.mjs";

/** The scripts as a fresh clone has them: nothing is installed. */
let clone = "";
beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), "meridian-clone-"));
  for (const name of ["scripts", "package.json", "package-lock.json"])
    cpSync(join(ROOT, name), join(clone, name), { recursive: true });
});
afterAll(() => rmSync(clone, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a script of the clone under this Node, without what the npm that runs the tests has set. */
function run(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const environment = { ...process.env };
  for (const name of Object.keys(process.env)) {
    if (name.startsWith("npm_")) delete environment[name];
  }
  const options = { cwd: clone, env: { ...environment, ...env }, timeout: 20_000 };
  return new Promise((resolve) => {
    execFile(process.execPath, [...args], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

const failsWith = (line: string | RegExp) => ({
  code: 1,
  stdout: "",
  stderr: typeof line === "string" ? `${line}\n` : expect.stringMatching(line),
});

const ADMIN = "usage: npm run admin -- <email> [--remote] [--unverified] [--persist-to <folder>]";

test.each([
  ["start.mjs --port abc", "--port takes a number from 0 to 65535"],
  ["start.mjs --port 70000", "--port takes a number from 0 to 65535"],
  ["start.mjs --port", "--port takes a value"],
  ["start.mjs --port=", "--port takes a value"],
  ["start.mjs --port --ip 0.0.0.0", "--port takes a value"],
  ["start.mjs --persist-to", "--persist-to takes a value"],
  ["start.mjs --prot 9101", "Unknown flag --prot: did you mean --port? See npm start -- --help"],
  ["start.mjs --persistto=x", "Unknown flag --persistto: did you mean --persist-to? See npm start -- --help"],
  [
    "start.mjs --no-live-relaod",
    "Unknown flag --live-relaod: did you mean --live-reload? See npm start -- --help",
  ],
  ["start.mjs 9000", "npm start takes flags only, and 9000 is not one: npm start -- --port 9000"],
  ["admin.mjs", ADMIN],
  [
    "admin.mjs a@example.com b@example.com",
    'Unexpected argument "b@example.com". See npm run admin -- --help',
  ],
  ["admin.mjs ada", '"ada" is not an email address'],
  [
    "admin.mjs a@example.com --unverifed",
    "Unknown flag --unverifed: did you mean --unverified? See npm run admin -- --help",
  ],
  [
    "admin.mjs a@example.com --persist-to",
    "--persist-to takes a value: --persist-to <folder>. See npm run admin -- --help",
  ],
  ["admin.mjs a@example.com --remote --remote", "--remote is given twice. See npm run admin -- --help"],
  ["admin.mjs a@example.com --remote=yes", "--remote takes no value. See npm run admin -- --help"],
  ["keys.mjs", "usage: npm run keys -- rotate|list [--file <file>]"],
  ["keys.mjs rotat", "npm run keys -- rotate, or list: rotat is neither"],
  ["keys.mjs rotate --dry-run", "Unknown flag --dry-run. See npm run keys -- --help"],
  ["walk.mjs --ulr http://localhost:8787", "Unknown flag --ulr. See npm run walk -- --help"],
  [
    "walk.mjs --url localhost",
    '--url "localhost": an address looks like http://localhost:8787. See npm run walk -- --help',
  ],
  ["demo.mjs fast", 'Unexpected argument "fast". See npm run demo -- --help'],
  ["demo.mjs --mial x", "Unknown flag --mial. See npm run demo -- --help"],
  [
    "observe.mjs --prometheus-port x",
    '--prometheus-port "x": a port is a number up to 65535. See npm run observe -- --help',
  ],
  [
    "openapi-judge/run.mjs --bref",
    "Unknown flag --bref: did you mean --brief? See npm run judge -- openapi-answers --help",
  ],
])("scripts/%s", async (command, line) => {
  const [script, ...args] = command.split(" ");
  expect(await run([`scripts/${script}`, ...args])).toEqual(failsWith(line));
});

test.each([
  ["bench/run.mjs --frob", "Unknown flag --frob. See npm run bench -- --help"],
  [
    "bench/run.mjs --rounds many",
    '--rounds "many": a number from 1 is expected. See npm run bench -- --help',
  ],
  [
    "bench/growth/run.mjs --sizes 1000,x",
    '--sizes "1000,x": a number from 1 is expected. See npm run bench:growth -- --help',
  ],
  ["bench/growth/run.mjs get", 'Unexpected argument "get". See npm run bench:growth -- --help'],
  [
    "bench/profile.mjs hot --side teh",
    '--side "teh": one of project, literal, bare is expected. See npm run bench:profile -- --help',
  ],
  ["bench/profile.mjs hot mix", 'Unexpected argument "mix". See npm run bench:profile -- --help'],
  [
    "test/faults/kills/run.mjs --kill 3",
    "Unknown flag --kill: did you mean --kills? See npm run judge -- kills --help",
  ],
  [
    "test/faults/kills/run.mjs --kills 0",
    '--kills "0": a number from 1 is expected. See npm run judge -- kills --help',
  ],
  ["scripts/openapi.mjs --chek", "Unknown flag --chek: did you mean --check? See npm run openapi -- --help"],
  ["scripts/check.mjs src", 'Unexpected argument "src". See npm run check -- --help'],
  [
    "scripts/bundle.mjs --recrod",
    "Unknown flag --recrod: did you mean --record? See npm run bundle -- --help",
  ],
])("%s, which needs the packages", async (command, line) => {
  const [script = "", ...args] = command.split(" ");
  const { code, stdout, output } = await runScript(script, args);
  expect([code, stdout, output]).toEqual([1, "", `${line}\n`]);
});

test.each([
  [["start.mjs", "9000"], { port: "true" }, "--port", "npm start -- --port 9000"],
  [["start.mjs"], { port: "9000" }, "--port", "npm start -- --port 9000"],
  [["start.mjs", "state"], { persist_to: "true" }, "--persist-to", "npm start -- --persist-to state"],
  [["test.mjs", "unit"], { project: "true" }, "--project", "npm test -- --project unit"],
  [["admin.mjs", "a@example.com"], { remote: "true" }, "--remote", "npm run admin -- a@example.com --remote"],
  [
    ["admin.mjs", "a@example.com", "state"],
    { persist_to: "true" },
    "--persist-to",
    "npm run admin -- a@example.com --persist-to state",
  ],
  [["keys.mjs", "rotate", "set.json"], { file: "true" }, "--file", "npm run keys -- rotate --file set.json"],
  [["walk.mjs"], { url: "http://localhost:9" }, "--url", "npm run walk -- --url http://localhost:9"],
  [["demo.mjs"], { url: "true" }, "--url", "npm run demo -- --url <address>"],
])("%j with a flag that npm kept: %j", async ([script, ...args], kept, flag, meant) => {
  const env = Object.fromEntries(Object.entries(kept).map(([name, value]) => [`npm_config_${name}`, value]));
  expect(await run([`scripts/${script}`, ...args], env)).toEqual(
    failsWith(`npm kept ${flag} for itself. Put two dashes in front: ${meant}`),
  );
});

test("npm's own settings are not taken for a script's flags", async () => {
  const env = {
    npm_config_loglevel: "silent",
    npm_config_yes: "true",
    npm_config_port: "",
    npm_config_url: "false",
  };
  expect(await run(["scripts/start.mjs", "--port", "abc"], env)).toEqual(
    failsWith("--port takes a number from 0 to 65535"),
  );
});

test("a port in use is named with the way around it, and nothing is set up", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  expect(await run(["scripts/start.mjs", "--port", String(port)])).toEqual(
    failsWith(`Port ${port} is in use. Stop what listens there, or choose another: npm start -- --port 8788`),
  );
});

test.each([
  ["a line without =", "METRICS_TOKEN\n", "line 1: expected NAME=value"],
  ["half a key set", 'JWT_SIGNING_KEYS={"keys":[{"k\n', "is not a JWK set: is it cut off?"],
])("npm start with %s in .dev.vars ends before it installs anything", async (_, text, line) => {
  const path = join(clone, ".dev.vars");
  writeFileSync(path, text);
  onTestFinished(() => rmSync(path));
  const ended = await run(["scripts/start.mjs", "--port", "0"]);
  expect(ended).toEqual(failsWith(/^[^\n]*\n$/));
  expect(ended.stderr).toContain(line);
  expect(readFileSync(path, "utf8")).toBe(text);
});

test("npm start with a folder in place of .dev.vars ends in one line", async () => {
  const path = join(clone, ".dev.vars");
  mkdirSync(path);
  onTestFinished(() => rmSync(path, { recursive: true }));
  expect(await run(["scripts/start.mjs", "--port", "0"])).toEqual(
    failsWith(/^[^\n]*\.dev\.vars cannot be read: it is a folder, and must be a file\n$/),
  );
});

test("npm run keys without a file says where one comes from", async () => {
  expect(await run(["scripts/keys.mjs", "list"])).toEqual(
    failsWith(/^[^\n]*\.dev\.vars does not exist: npm start writes one\n$/),
  );
});

test("npm run walk without git says so", async () => {
  const { code, stderr } = await run(["scripts/walk.mjs"], { PATH: "/nowhere" });
  expect([code, stderr]).toEqual([1, "the clone failed: git is not installed, or not on the PATH\n"]);
});

const SCRIPTS: [string, string][] = Object.entries(
  JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).scripts,
);
/** The file that an npm script runs first. */
const entryOf = (command: string) => /^node (scripts\/\S+)/.exec(command)?.[1] ?? "";

/** What `tools.mjs` sees of a Node that is too old. The modules that it lacks are the next test's. */
const OLD_NODE = `data:text/javascript,Object.defineProperty(process, "versions", { value: { node: "18.20.8" } })`;

test.each(SCRIPTS)(
  "npm run %s says that Node 18 is too old, before it misses a package",
  async (_, command) => {
    expect(await run(["--import", OLD_NODE, entryOf(command), ...command.split(" ").slice(2)])).toEqual(
      failsWith(
        "Node 18.20.8 is too old for this project: install Node 20 or newer, from https://nodejs.org or by your version manager.",
      ),
    );
  },
);

/** What a script imports by `import()` it needs only after the installation. */
const STATIC_ONLY: Plugin = {
  name: "static imports only",
  setup: ({ onResolve }) =>
    onResolve({ filter: /./ }, ({ kind }) => (kind === "dynamic-import" ? { external: true } : undefined)),
};

test("what npm scripts import before that is in Node 18", async () => {
  const entryPoints = [...new Set(SCRIPTS.map(([, command]) => join(ROOT, entryOf(command))))];
  const options = {
    bundle: true,
    write: false,
    metafile: true,
    packages: "external",
    platform: "node",
  } as const;
  const { metafile } = await build({
    ...options,
    entryPoints,
    format: "esm",
    outdir: "out",
    logLevel: "error",
    plugins: [STATIC_ONLY],
  });
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
  const needed = imports.filter(({ external, kind }) => external && kind === "import-statement");
  expect([...new Set(needed.map(({ path }) => path))].sort()).toEqual(
    [
      ...["node:child_process", "node:crypto", "node:fs", "node:module", "node:net", "node:os"],
      ...["node:path", "node:readline", "node:timers/promises", "node:url", "node:util"],
    ].sort(),
  );
});
