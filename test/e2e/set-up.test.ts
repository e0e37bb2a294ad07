import { execFile } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { executeSql } from "../../scripts/database.mjs";
import { readVars } from "../../scripts/dev-vars.mjs";
import { readSet, writeSet } from "../../scripts/key-rotation.mjs";
import { ensureMigrations, ensureSecrets } from "../../scripts/prepare.mjs";
import { writeSecretFile } from "../../scripts/secret-file.mjs";
import { flagValue, nodeBinary, ROOT, toolEnvironment } from "../../scripts/tools.mjs";
import { readConfig } from "../../src/platform/env";
import { migratedState } from "../support/migrated-state";
import { copyProject } from "../support/project-copy";

let directory = "";
let path = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "meridian-set-up-"));
  path = join(directory, ".dev.vars");
});
afterEach(() => rmSync(directory, { recursive: true }));

const storedVars = (file = path): Record<string, string> =>
  Object.fromEntries(readVars(readFileSync(file, "utf8")));
const modeOf = (file: string) => statSync(file).mode & 0o777;

const VARS = { MAIL_FROM: "hello@meridian.example", PUBLIC_URL: "http://localhost:8787" };

test("fresh secrets are a configuration that the Worker accepts, readable by their owner alone", () => {
  ensureSecrets(path);
  const config = readConfig({ ...VARS, ...storedVars() });
  expect(config.JWT_SIGNING_KEYS.keys).toMatchObject([{ kty: "EC", crv: "P-256", alg: "ES256", use: "sig" }]);
  expect(modeOf(path)).toBe(0o600);
});

test("every value of .dev.vars.example is refused by its name, for everybody can read it", () => {
  ensureSecrets(path);
  const examples = Object.entries(storedVars(join(ROOT, ".dev.vars.example")));
  expect(examples.map(([name]) => name).sort()).toEqual(Object.keys(storedVars()).sort());
  for (const [name, value] of examples) {
    const read = () => readConfig({ ...VARS, ...storedVars(), [name]: value });
    expect(read).toThrow(`configuration is not valid: ${name}`);
  }
});

test("no two machines get the same secrets", () => {
  ensureSecrets(path);
  const first = storedVars();
  rmSync(path);
  ensureSecrets(path);
  const second = storedVars();
  for (const name of Object.keys(first)) expect([name, second[name]]).not.toEqual([name, first[name]]);
});

test("what somebody has set stays, and only what is missing is added", () => {
  writeFileSync(path, "METRICS_TOKEN=chosen-by-a-person\nRATE_LIMIT_MAX=5");
  ensureSecrets(path);
  const once = storedVars();
  expect(once).toMatchObject({ METRICS_TOKEN: "chosen-by-a-person", RATE_LIMIT_MAX: "5" });
  expect(readConfig({ ...VARS, ...once }).RATE_LIMIT_MAX).toBe(5);
  ensureSecrets(path);
  expect(storedVars()).toEqual(once);
});

test("a flag is read in both of its forms, the last one given counting", () => {
  expect(flagValue(["--port", "1", "--port=2"], "port")).toBe("2");
  expect(flagValue(["--port=2", "--port", "1"], "port")).toBe("1");
  expect(flagValue(["--portal", "1"], "port")).toBeUndefined();
});

test.each([["--port"], ["--port="], ["--port", "--ip"]])(
  "a flag without its value is refused: %s %s",
  (...args) => {
    expect(() => flagValue(args, "port")).toThrow("--port takes a value");
  },
);

test("a file that others could read becomes its owner's alone, whether secrets are added to it or not", () => {
  writeFileSync(path, "RATE_LIMIT_MAX=5\n", { mode: 0o644 });
  expect(ensureSecrets(path)).not.toEqual([]);
  expect(modeOf(path)).toBe(0o600);
  const complete = readFileSync(path, "utf8");
  chmodSync(path, 0o644);
  expect(ensureSecrets(path)).toEqual([]);
  expect([modeOf(path), readFileSync(path, "utf8")]).toEqual([0o600, complete]);
});

test("a secret is written over a file that others can read with mode 600, and leaves nothing beside it", () => {
  writeFileSync(path, "old", { mode: 0o644 });
  writeSecretFile(path, "new");
  expect([readFileSync(path, "utf8"), modeOf(path)]).toEqual(["new", 0o600]);
  expect(readdirSync(directory)).toEqual([".dev.vars"]);
});

test("a link, a read-only file and a folder are refused in one line, and stay as they were", () => {
  const elsewhere = join(directory, "elsewhere");
  writeFileSync(elsewhere, "RATE_LIMIT_MAX=5\n");
  symlinkSync(elsewhere, path);
  expect(() => ensureSecrets(path)).toThrow(/^[^\n]*\.dev\.vars is a symbolic link[^\n]*$/);
  expect(lstatSync(path).isSymbolicLink()).toBe(true);
  expect(readFileSync(elsewhere, "utf8")).toBe("RATE_LIMIT_MAX=5\n");
  rmSync(path);
  writeFileSync(path, "RATE_LIMIT_MAX=5\n", { mode: 0o400 });
  expect(() => ensureSecrets(path)).toThrow(/^[^\n]*\.dev\.vars is read-only[^\n]*$/);
  expect(readFileSync(path, "utf8")).toBe("RATE_LIMIT_MAX=5\n");
  rmSync(path, { force: true });
  mkdirSync(path);
  expect(() => ensureSecrets(path)).toThrow(
    /^[^\n]*\.dev\.vars cannot be read: it is a folder, and must be a file$/,
  );
  expect(readdirSync(directory).sort()).toEqual([".dev.vars", "elsewhere"]);
});

test("a write that fails leaves the old text, and no half-written file", () => {
  writeFileSync(path, "old", { mode: 0o600 });
  // Text cannot be encoded out of this, so the write fails after the file beside it is open.
  const broken = Object.freeze({}) as string;
  expect(() => writeSecretFile(path, broken)).toThrow(/^[^\n]*\.dev\.vars cannot be written: /);
  expect([readFileSync(path, "utf8"), readdirSync(directory)]).toEqual(["old", [".dev.vars"]]);
});

test.each([
  ["a line without =", "METRICS_TOKEN abc\n", ".dev.vars, line 1: expected NAME=value"],
  ["a cut line", "# secrets\nEVENTS_TOKEN=abc\nDATA_K", ".dev.vars, line 3: expected NAME=value"],
  [
    "a quote without an end",
    "A=1\nB='abc\nC=2\n",
    ".dev.vars, line 2: the quotes around the value of B do not match",
  ],
  ["text after a quote", 'A="abc" def\n', ".dev.vars, line 1: the quotes around the value of A do not match"],
  ["half a key set", 'JWT_SIGNING_KEYS={"keys":[{"kid":"loc\n', ".dev.vars is not a JWK set: is it cut off?"],
  ["no key set", "JWT_SIGNING_KEYS=\n", ".dev.vars is not a JWK set: is it cut off?"],
  ["an empty key set", 'JWT_SIGNING_KEYS={"keys":[]}\n', ".dev.vars is not a JWK set: is it cut off?"],
])("a .dev.vars with %s is named in one line that shows no value, and is not touched", (_, text, line) => {
  writeFileSync(path, text);
  expect(() => ensureSecrets(path)).toThrow(line);
  expect(() => ensureSecrets(path)).toThrow(/^[^\n]*$/);
  expect(() => ensureSecrets(path)).not.toThrow(/abc|kid|loc/);
  expect(readFileSync(path, "utf8")).toBe(text);
});

test("values are read as wrangler reads them: quotes, CRLF, a BOM, comments, several lines", () => {
  const text = [
    ...["\uFEFFA=1", "export B = two words # comment", "C: 3", "# D=4", "", "E='x = \"y\" # z'"],
    ...['F="1\\n2"', "G=`a", "b`", "H="],
  ].join("\r\n");
  expect(Object.fromEntries(readVars(text))).toEqual({
    ...{ A: "1", B: "two words", C: "3", E: 'x = "y" # z', F: "1\n2", G: "a\nb", H: "" },
  });
});

test("a set in quotes, after a BOM and with CRLF is kept, and rotates in place", () => {
  ensureSecrets(path);
  const { JWT_SIGNING_KEYS: set = "", ...others } = storedVars();
  const lines = [
    `\uFEFFJWT_SIGNING_KEYS='${set}'`,
    ...Object.entries(others).map((entry) => entry.join("=")),
  ];
  writeFileSync(path, lines.join("\r\n"));
  expect(ensureSecrets(path)).toEqual([]);
  const text = readFileSync(path, "utf8");
  const next = { keys: [...readSet(text).keys, { kid: "another" }] };
  const written = writeSet(text, next);
  expect([readSet(written), readVars(written).get("DATA_KEY")]).toEqual([next, others.DATA_KEY]);
});

test("a set that stands twice or takes several lines is not rotated into a broken file", () => {
  const set = '{"keys":[{"kid":"a"}]}';
  const next = { keys: [{ kid: "b" }] };
  for (const text of [
    `JWT_SIGNING_KEYS=${set}\nJWT_SIGNING_KEYS=${set}\n`,
    `JWT_SIGNING_KEYS='{"keys":\n[]}'\n`,
  ])
    expect(() => writeSet(text, next)).toThrow();
});

/** Runs `npm start`'s script on a local storage, in a copy of the project. */
function startOn(persistTo: string): Promise<{ readonly code: number; readonly stderr: string }> {
  const project = copyProject();
  onTestFinished(project.remove);
  const args = ["scripts/start.mjs", "--port", "0", "--persist-to", persistTo];
  return new Promise((resolve) => {
    const options = { cwd: project.folder, env: { ...toolEnvironment(), NO_COLOR: "1" }, timeout: 60_000 };
    execFile(nodeBinary(), args, options, (error, _stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stderr }),
    );
  });
}

test("npm start refuses a local database of another version in one line, and loses nothing", async () => {
  const state = await migratedState();
  onTestFinished(() => rmSync(state, { recursive: true }));
  const old = "update d1_migrations set name = '0001_create_auth_and_audit.sql'";
  await executeSql(`${old}; create table kept (id text); insert into kept values ('row')`, {
    persistTo: state,
  });
  writeFileSync(join(state, "meridian-migrations"), "the stamp of another version");

  const { code, stderr } = await startOn(state);
  expect([code, stderr]).toEqual([
    1,
    `Another version of this code made the local database: it has the migration 0001_create_auth_and_audit.sql, which is not in migrations/. Delete the folder ${state}, with all local data: the next npm start makes a new one.\n`,
  ]);
  expect(await executeSql("select id from kept", { persistTo: state })).toEqual([{ id: "row" }]);

  rmSync(state, { recursive: true });
  await ensureMigrations(state, { isQuiet: true });
  expect(await executeSql("select name from d1_migrations", { persistTo: state })).toEqual([
    { name: "0000_create_tables.sql" },
  ]);
}, 120_000);

test("a local database without migrations, or with some of this clone's, is brought up to date", async () => {
  const state = mkdtempSync(join(tmpdir(), "meridian-empty-"));
  onTestFinished(() => rmSync(state, { recursive: true }));
  await executeSql("create table kept (id text)", { persistTo: state });
  await ensureMigrations(state, { isQuiet: true });
  rmSync(join(state, "meridian-migrations"));
  await ensureMigrations(state, { isQuiet: true });
  const tables = "select name from sqlite_master where name in ('kept', 'users') order by name";
  expect(await executeSql(tables, { persistTo: state })).toEqual([{ name: "kept" }, { name: "users" }]);
}, 120_000);
