/**
 * Runs the project's tools under the Node of `node_modules`, whatever Node the machine has. Node built-ins alone, for
 * this runs before anything is installed.
 */
import "./node-version.mjs";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** The scripts that npm would link into `.bin`: called directly, which spares shells and works on Windows alike. */
const ENTRY = {
  wrangler: "node_modules/wrangler/bin/wrangler.js",
  vitest: "node_modules/vitest/vitest.mjs",
  biome: "node_modules/@biomejs/biome/bin/biome",
  tsc: "node_modules/typescript/bin/tsc",
  "drizzle-kit": "node_modules/drizzle-kit/bin.cjs",
  buf: "node_modules/@bufbuild/buf/bin/buf",
};

/** Node 24 out of `node_modules`; on Windows its file has an extension. */
export function nodeBinary() {
  const binary = join(ROOT, "node_modules/node/bin/node");
  return existsSync(`${binary}.exe`) ? `${binary}.exe` : binary;
}

/**
 * What every tool runs with: our Node first on the PATH, no telemetry, no look-up of the machine's place on earth, and
 * no word of newer releases, for versions are pinned.
 */
export function toolEnvironment() {
  const path = [join(ROOT, "node_modules/.bin"), process.env.PATH ?? ""].join(delimiter);
  return {
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_HIDE_BANNER: "true",
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    ...process.env,
    PATH: path,
  };
}

/**
 * Starts a tool, with no input, so that none can stop and ask.
 *
 * @param {keyof typeof ENTRY} name
 * @param {readonly string[]} args
 * @param {import("node:child_process").SpawnOptions} options
 */
export function spawnTool(name, args, options = {}) {
  return spawn(nodeBinary(), [join(ROOT, ENTRY[name]), ...args], {
    cwd: ROOT,
    env: toolEnvironment(),
    stdio: ["ignore", "inherit", "inherit"],
    ...options,
  });
}

/**
 * Runs a tool to its end and keeps what it printed.
 *
 * @param {keyof typeof ENTRY} name
 * @param {readonly string[]} args
 * @param {import("node:child_process").SpawnOptions} options
 * @returns {Promise<{code: number, output: string, stdout: string}>}
 */
export async function runTool(name, args, options = {}) {
  const env = { ...toolEnvironment(), NO_COLOR: "1" };
  return await collect(spawnTool(name, args, { env, ...options, stdio: ["ignore", "pipe", "pipe"] }));
}

/**
 * Starts one of the project's own scripts.
 *
 * @param {string} path from the project's root
 * @param {readonly string[]} args
 * @param {import("node:child_process").SpawnOptions} options
 */
export function spawnScript(path, args, options = {}) {
  return spawn(nodeBinary(), [join(ROOT, path), ...args], { cwd: ROOT, env: toolEnvironment(), ...options });
}

/**
 * Runs one of the project's own scripts to its end and keeps what it printed.
 *
 * @param {string} path from the project's root
 * @param {readonly string[]} args
 * @returns {Promise<{code: number, output: string, stdout: string}>}
 */
export async function runScript(path, args) {
  return await collect(spawnScript(path, args, { stdio: ["ignore", "pipe", "pipe"] }));
}

/** @param {import("node:child_process").ChildProcess} child */
export async function collect(child) {
  let output = "";
  let stdout = "";
  child.stdout?.setEncoding("utf8").on("data", (text) => {
    output += text;
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text) => {
    output += text;
  });
  const code = await exitOf(child, (line) => {
    output += line;
  });
  return { code, output, stdout };
}

/**
 * The exit code of a child; 1 when a signal or a failure to start ended it.
 *
 * @param {import("node:child_process").ChildProcess} child
 * @param {(line: string) => unknown} say gets why it did not start
 * @returns {Promise<number>}
 */
export function exitOf(child, say = (line) => process.stderr.write(line)) {
  return new Promise((resolve) => {
    child.once("error", (error) => {
      const isAbsent = "code" in error && error.code === "ENOENT";
      say(`${isAbsent ? `${child.spawnfile} is not installed, or not on the PATH` : error.message}\n`);
      resolve(1);
    });
    child.once("close", (code) => resolve(code ?? 1));
  });
}

/**
 * The value of `--name value` or `--name=value`, the last one given; undefined when absent.
 *
 * @param {readonly string[]} args
 * @param {string} name
 * **Errors**: one line when the value is missing, or is another flag
 */
export function flagValue(args, name) {
  let value;
  args.forEach((argument, index) => {
    if (argument === `--${name}`) value = args[index + 1] ?? "";
    else if (argument.startsWith(`--${name}=`)) value = argument.slice(name.length + 3);
  });
  if (value === "" || value?.startsWith("-")) throw new Error(`--${name} takes a value`);
  return value;
}
