/**
 * Builds a Worker as `wrangler deploy` does and serves that very bundle with plain workerd, for the local development
 * server costs milliseconds a request and would drown what is measured.
 */
import { execFileSync, spawn } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, extname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { unstable_readConfig as readWranglerConfig } from "wrangler";
import { capnpOf } from "./config.mjs";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const BIN = join(ROOT, "node_modules", ".bin");
const GIB = 2 ** 30;
const READY_ATTEMPTS_MAX = 200;
const READY_STEP_MS = 50;

/**
 * The bundle as it is uploaded, and the configuration that it is uploaded with.
 *
 * @param {{isReadable?: boolean}} [options] `isReadable`: with the names of the source, for profiles
 */
export function build(configPath, { isReadable = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "meridian-bench-"));
  try {
    execFileSync(
      join(BIN, "wrangler"),
      [
        "deploy",
        "--dry-run",
        "--config",
        configPath,
        "--outdir",
        folder,
        ...(isReadable ? ["--minify=false"] : []),
      ],
      {
        stdio: ["ignore", "ignore", "inherit"],
        cwd: ROOT,
        env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" },
      },
    );
    const wrangler = readWranglerConfig({ config: configPath }, { hideWarnings: true });
    const built = `${basename(wrangler.main, extname(wrangler.main))}.js`;
    return { wrangler, bundle: readFileSync(join(folder, built), "utf8") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Serves a built Worker until `stop`.
 *
 * @param {{built: ReturnType<typeof build>, vars?: Record<string, string>, objects?: Record<string, string[]>,
 *   delays?: object | null, isCounting?: boolean, seed?: number, log?: string, args?: string[], bytes?: number}} options `log`: a file for
 *   what the Worker prints; `bytes`: that the objects may come to
 */
export async function serve(options) {
  const {
    built,
    vars = {},
    objects = {},
    delays = null,
    isCounting = false,
    seed = 1,
    args = [],
    bytes = GIB,
  } = options;
  const folder = mkdtempSync(join(roomFor(bytes), "meridian-bench-"));
  mkdirSync(join(folder, "objects"));
  writeFileSync(join(folder, "serve.capnp"), capnpOf({ ...built, vars, objects, delays, isCounting, seed }));
  const [port, controlPort] = [await freePort(), await freePort()];
  const sockets = [`http=127.0.0.1:${port}`, `control=127.0.0.1:${controlPort}`];
  const child = spawn(
    join(BIN, "workerd"),
    [
      "serve",
      "--experimental",
      "serve.capnp",
      ...sockets.flatMap((addr) => ["--socket-addr", addr]),
      ...args,
    ],
    // Every request writes its line; nobody keeps it.
    { cwd: folder, detached: true, stdio: ["ignore", "ignore", "pipe"] },
  );
  const output = keepTail(child);
  const url = `http://127.0.0.1:${port}`;
  const control = `http://127.0.0.1:${controlPort}`;
  const stop = () => {
    if (child.exitCode === null) process.kill(-child.pid, "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  await untilReady(control, child, output).catch((error) => {
    stop();
    throw error;
  });
  return { url, pid: child.pid, folder, stop, output, ...controlOf(control) };
}

/** In memory where there is such a place, and room: a laptop's disk is no part of what is compared. */
function roomFor(bytes) {
  try {
    const { bavail, bsize } = statfsSync("/dev/shm");
    return bavail * bsize >= bytes ? "/dev/shm" : tmpdir();
  } catch {
    return tmpdir();
  }
}

function controlOf(control) {
  const call = async (path, body) => {
    const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const answer = await fetch(control + path, init);
    const content = await answer.text();
    if (!answer.ok) throw new Error(`the stand-ins answered ${answer.status} to ${path}: ${content}`);
    return content === "" ? null : JSON.parse(content);
  };
  return {
    sql: async (sql, params = []) => await call("/sql", { sql, params }),
    counts: async () => await call("/counts"),
    clearKv: async () => await call("/clear-kv"),
    backlog: async () => await call("/backlog"),
  };
}

/** Applies the migrations as wrangler does: in the order of their names. */
export async function migrate(server, folder = join(ROOT, "migrations")) {
  for (const name of readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .sort()) {
    await server.sql(readFileSync(join(folder, name), "utf8"));
  }
}

const OUTPUT_MAX = 20_000;

/** The last of what a child complained of, for when it fails. */
function keepTail(child) {
  const output = { text: "" };
  child.stderr.on("data", (chunk) => {
    output.text = (output.text + chunk).slice(-OUTPUT_MAX);
  });
  return output;
}

async function untilReady(control, child, output) {
  for (let attempt = 0; attempt < READY_ATTEMPTS_MAX; attempt += 1) {
    if (child.exitCode !== null) break;
    const answer = await fetch(`${control}/backlog`).catch(() => null);
    if (answer?.ok) return;
    await sleep(READY_STEP_MS);
  }
  throw new Error(`workerd did not start:\n${output.text}`);
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
