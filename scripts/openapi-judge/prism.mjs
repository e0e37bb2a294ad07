/** Stoplight's Prism as a proxy: it holds what passes through it against the document, and says so in a header. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { exitOf, nodeBinary, ROOT, toolEnvironment } from "../tools.mjs";

const READY_WITHIN_MS = 60_000;

/**
 * @param {{folder: string, upstream: string, port: number}} where its packages are, what it stands in front of, and
 *   where it listens
 * @returns {Promise<() => Promise<void>>} ends it
 */
export async function startPrism({ folder, upstream, port }) {
  const cli = join(folder, "node_modules/@stoplight/prism-cli/dist/index.js");
  const args = ["proxy", join(ROOT, "public/openapi.json"), upstream, "--port", String(port)];
  // Only answers are judged: bad requests are sent on purpose. One line a call is enough to say nothing about.
  const flags = ["--validate-request=false", "--cors=false", "--verboseLevel=error"];
  const child = spawn(nodeBinary(), [cli, ...args, ...flags], {
    cwd: folder,
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
