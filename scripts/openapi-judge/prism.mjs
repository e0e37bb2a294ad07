/** Stoplight's Prism as a proxy: it holds what passes through it against the document, and says so in a header. */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { collect, exitOf, nodeBinary, ROOT, toolEnvironment } from "../tools.mjs";

const FOLDER = join(ROOT, "node_modules/.cache/openapi-judge");
const LOCK = "package-lock.json";
const READY_WITHIN_MS = 60_000;

/** Two hundred packages are too many to install for everybody: they have a lock of their own, and come when asked for. */
export async function ensurePrism() {
  const own = join(ROOT, "scripts/openapi-judge");
  const isInstalled =
    existsSync(join(FOLDER, "done")) &&
    readFileSync(join(FOLDER, LOCK), "utf8") === readFileSync(join(own, LOCK), "utf8");
  if (isInstalled) return;
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  for (const name of ["package.json", LOCK]) cpSync(join(own, name), join(FOLDER, name));
  // None of its packages' scripts is needed to run it.
  const npm = spawn("npm", ["ci", "--ignore-scripts", "--loglevel=error", "--workspaces=false"], {
    cwd: FOLDER,
    env: toolEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32",
  });
  const { code, output } = await collect(npm);
  if (code !== 0) throw new Error(`Prism could not be installed\n${output}`);
  mkdirSync(join(FOLDER, "done"));
}

/**
 * @param {{upstream: string, port: number}} where what it stands in front of, and where it listens
 * @returns {Promise<() => Promise<void>>} ends it
 */
export async function startPrism({ upstream, port }) {
  const cli = join(FOLDER, "node_modules/@stoplight/prism-cli/dist/index.js");
  const args = ["proxy", join(ROOT, "public/openapi.json"), upstream, "--port", String(port)];
  // Only answers are judged: bad requests are sent on purpose. One line a call is enough to say nothing about.
  const flags = ["--validate-request=false", "--cors=false", "--verboseLevel=error"];
  const child = spawn(nodeBinary(), [cli, ...args, ...flags], {
    cwd: FOLDER,
    env: toolEnvironment(),
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = exitOf(child);
  await untilUp(`http://127.0.0.1:${port}/healthz`, child);
  return async () => {
    child.kill("SIGKILL");
    await ended;
  };
}

async function untilUp(url, child) {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => null);
    if (response?.status === 200) return;
    if (child.exitCode !== null) throw new Error("Prism has ended by itself");
    if (Date.now() > deadline) {
      child.kill("SIGKILL");
      throw new Error(`Prism does not answer at ${url}`);
    }
    await sleep(200);
  }
}
