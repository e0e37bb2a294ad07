import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensureSecrets } from "../../scripts/prepare.mjs";
import { flagValue, ROOT } from "../../scripts/tools.mjs";
import { readConfig } from "../../src/platform/env";

let directory = "";
let path = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "meridian-set-up-"));
  path = join(directory, ".dev.vars");
});
afterEach(() => rmSync(directory, { recursive: true }));

function readVars(file = path): Record<string, string> {
  const lines = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .filter((line) => !line.startsWith("#") && line !== "");
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

const VARS = { MAIL_FROM: "hello@meridian.example", PUBLIC_URL: "http://localhost:8787" };

test("fresh secrets are a configuration that the Worker accepts, readable by their owner alone", () => {
  ensureSecrets(path);
  const config = readConfig({ ...VARS, ...readVars() });
  expect(config.JWT_SIGNING_KEYS.keys).toMatchObject([{ kty: "EC", crv: "P-256", alg: "ES256", use: "sig" }]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("every value of .dev.vars.example is refused by its name, for everybody can read it", () => {
  ensureSecrets(path);
  const examples = Object.entries(readVars(join(ROOT, ".dev.vars.example")));
  expect(examples.map(([name]) => name).sort()).toEqual(Object.keys(readVars()).sort());
  for (const [name, value] of examples) {
    const read = () => readConfig({ ...VARS, ...readVars(), [name]: value });
    expect(read).toThrow(`configuration is not valid: ${name}`);
  }
});

test("no two machines get the same secrets", () => {
  ensureSecrets(path);
  const first = readVars();
  rmSync(path);
  ensureSecrets(path);
  const second = readVars();
  for (const name of Object.keys(first)) expect([name, second[name]]).not.toEqual([name, first[name]]);
});

test("what somebody has set stays, and only what is missing is added", () => {
  writeFileSync(path, "METRICS_TOKEN=chosen-by-a-person\nRATE_LIMIT_MAX=5");
  ensureSecrets(path);
  const once = readVars();
  expect(once).toMatchObject({ METRICS_TOKEN: "chosen-by-a-person", RATE_LIMIT_MAX: "5" });
  expect(readConfig({ ...VARS, ...once }).RATE_LIMIT_MAX).toBe(5);
  ensureSecrets(path);
  expect(readVars()).toEqual(once);
});

test("a flag is read in both of its forms, the last one given counting", () => {
  expect(flagValue(["--port", "1", "--port=2"], "port")).toBe("2");
  expect(flagValue(["--port=2", "--port", "1"], "port")).toBe("1");
  expect(flagValue(["--portal", "1"], "port")).toBeUndefined();
});
