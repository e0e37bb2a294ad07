/** One process of plain workerd, and the end of all of them whatever becomes of this one. */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { OBJECTS_FOLDER } from "./capnp.mjs";

const WORKERD = join(fileURLToPath(new URL("../../node_modules/.bin", import.meta.url)), "workerd");
const READY_ATTEMPTS_MAX = 200;
const READY_STEP_MS = 50;
const OUTPUT_MAX = 20_000;

/**
 * @param {object} options
 * @param {string} options.folder  made here: the process runs in it, and its objects lie in it
 * @param {string} options.config  see `capnp.mjs`
 * @param {Record<string, string>} options.sockets    addresses to listen at, by name
 * @param {Record<string, string>} options.externals  and of the services of other processes
 * @param {readonly string[]} [options.args]
 * @returns {{pid: number, output: {text: string}, untilReady: () => Promise<void>}} `output`: the last of what it complained of
 */
export function startWorkerd({ folder, config, sockets, externals, args = [] }) {
  mkdirSync(join(folder, OBJECTS_FOLDER), { recursive: true });
  writeFileSync(join(folder, "serve.capnp"), config);
  const child = spawn(
    WORKERD,
    [
      ...["serve", "--experimental", "serve.capnp"],
      ...Object.entries(sockets).flatMap(([name, address]) => ["--socket-addr", `${name}=${address}`]),
      ...Object.entries(externals).flatMap(([name, address]) => ["--external-addr", `${name}=${address}`]),
      ...args,
    ],
    // Every request writes its line; nobody keeps it.
    { cwd: folder, detached: true, stdio: ["ignore", "ignore", "pipe"] },
  );
  const output = { text: "" };
  child.stderr.on("data", (chunk) => {
    output.text = (output.text + chunk).slice(-OUTPUT_MAX);
  });
  return { pid: child.pid, output, untilReady: () => untilReady(child, sockets.control, output) };
}

async function untilReady(child, control, output) {
  for (let attempt = 0; attempt < READY_ATTEMPTS_MAX; attempt += 1) {
    if (child.exitCode !== null) break;
    const answer = await fetch(`http://${control}/backlog`).catch(() => null);
    if (answer?.ok) return;
    await sleep(READY_STEP_MS);
  }
  throw new Error(`workerd did not start:\n${output.text}`);
}

/** Waits for the end of its input, which comes when we end too, and is killed before that when all went well. */
const KEEPER = 'cat; folder=$1; shift; for pid; do kill -s KILL -- "-$pid"; done; rm -rf "$folder"';

/**
 * Ends the groups of these processes and removes the folder when this process is gone, however that ended.
 *
 * @returns {() => void} lets them go
 */
export function endWithUs(folder, pids) {
  const keeper = spawn("sh", ["-c", KEEPER, "keeper", folder, ...pids.map(String)], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  keeper.unref();
  keeper.stdin.unref();
  return () => keeper.kill("SIGKILL");
}

export function killGroup(pid) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

/**
 * Addresses on the loopback that are free now. TCP, as Redis and PostgreSQL of the classic peer are reached.
 *
 * @param {readonly string[]} names
 * @returns {Promise<Record<string, string>>} by name
 */
export async function freeAddresses(names) {
  const servers = await Promise.all(
    names.map(async () => {
      const server = createServer();
      await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const addresses = servers.map((server) => `127.0.0.1:${server.address().port}`);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return Object.fromEntries(names.map((name, index) => [name, addresses[index]]));
}
