/** How a fresh clone gets its packages: from npm's cache where it can, and in one clear line where it cannot. */
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ROOT } from "../../scripts/tools.mjs";

let clone = "";
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), "meridian-install-"));
  for (const name of ["scripts", "package.json", "package-lock.json"])
    cpSync(join(ROOT, name), join(clone, name), { recursive: true });
  writeFileSync(
    join(clone, "install.mjs"),
    `import { ensureDependencies, runMain } from "./scripts/prepare.mjs"; await runMain(ensureDependencies);`,
  );
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

/** Stands for npm: notes its arguments, and prints and exits by the next of the plan's lines; "" is a success. */
const STUB = `
const fs = require("node:fs");
const calls = fs.existsSync("calls.json") ? JSON.parse(fs.readFileSync("calls.json", "utf8")) : [];
fs.writeFileSync("calls.json", JSON.stringify([...calls, process.argv.slice(2)]));
const failure = JSON.parse(process.env.PLAN)[calls.length];
if (failure === "") {
  fs.mkdirSync("node_modules/node/bin", { recursive: true });
  fs.writeFileSync("node_modules/node/bin/node", "");
} else {
  console.error(failure);
  process.exitCode = 1;
}`;

async function install(...plan: readonly string[]) {
  writeFileSync(join(clone, "npm-cli.js"), STUB);
  // The clone's package.json makes every .js file a module.
  writeFileSync(join(clone, "package.json"), "{}");
  const env = { ...process.env, npm_execpath: join(clone, "npm-cli.js"), PLAN: JSON.stringify(plan) };
  const ended = await new Promise<{ code: number; stderr: string }>((resolve) => {
    execFile(process.execPath, ["install.mjs"], { cwd: clone, env }, (error, _, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stderr }),
    );
  });
  const calls: string[][] = JSON.parse(readFileSync(join(clone, "calls.json"), "utf8"));
  return { ...ended, prefersCache: calls.map((args) => args.includes("--prefer-offline")), calls };
}

test("what npm's cache holds is not fetched again, so that a clone installs without a network", async () => {
  const { code, calls, prefersCache } = await install("");
  expect([code, prefersCache]).toEqual([0, [true]]);
  expect(calls[0]?.[0]).toBe("ci");
  expect(existsSync(join(clone, "node_modules/node/bin/node"))).toBe(true);
});

test("a cache that does not know a version yet is asked no more", async () => {
  const { code, prefersCache } = await install("npm error code ETARGET\nnpm error No matching version", "");
  expect([code, prefersCache]).toEqual([0, [true, false]]);
});

test.each(["EAI_AGAIN", "ENOTFOUND", "ECONNREFUSED", "ENOTCACHED"])(
  "without a network, and without all packages in the cache, one line says so: %s",
  async (reason) => {
    const { code, stderr, calls } = await install(`npm error code ${reason}\nnpm error errno ${reason}`);
    expect([code, calls.length]).toEqual([1, 1]);
    expect(stderr).toBe(
      `The packages could not be installed: the npm registry does not answer (${reason}), and npm's cache does not have all of them. Run this again with a network.\n`,
    );
  },
);

test("for any other failure npm's own words are shown", async () => {
  const { code, stderr } = await install("npm error code ENOSPC\nnpm error no space left on device");
  expect([code, stderr]).toEqual([
    1,
    "npm ci failed\nnpm error code ENOSPC\nnpm error no space left on device\n",
  ]);
});
