/**
 * Builds a Worker as `wrangler deploy` does and serves that very bundle with plain workerd, for the local development
 * server costs milliseconds a request and would drown what is measured.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { unstable_readConfig as readWranglerConfig } from "wrangler";
import { buildWorker, ENTRY, modulesIn } from "../../scripts/build.mjs";
import { runTool } from "../../scripts/tools.mjs";
import { roomFor } from "../room.mjs";
import { endWithUs, freeAddresses, killGroup, startWorkerd } from "./process.mjs";
import { CONSUMER, storeNames, storesConfig } from "./stores-config.mjs";
import { workerConfig } from "./worker-config.mjs";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * Builds the modules that are uploaded, and reads the configuration that they are uploaded with.
 *
 * @param {{isReadable?: boolean}} [options] `isReadable`: with the names of the source, for profiles
 * @returns {Promise<{wrangler: ReturnType<typeof readWranglerConfig>, modules: readonly {name: string, source: string}[]}>} the entry comes first
 */
export async function build(configPath, { isReadable = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "meridian-bench-"));
  try {
    const wrangler = readWranglerConfig({ config: configPath }, { hideWarnings: true });
    // A configuration that does not bundle is the project's own, which has its own build.
    if (wrangler.no_bundle === true) await buildWorker({ outdir: folder, isMinified: !isReadable });
    else await buildPeer(configPath, folder, isReadable);
    const entry = wrangler.no_bundle ? ENTRY : `${basename(wrangler.main, extname(wrangler.main))}.js`;
    const sourceOf = (name) => readFileSync(join(folder, name), "utf8");
    const modules = modulesIn(folder, entry).map((name) => ({ name, source: sourceOf(name) }));
    return { wrangler, modules };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function buildPeer(configPath, folder, isReadable) {
  const { code, output } = await runTool("wrangler", [
    ...["deploy", "--dry-run", "--config", configPath, "--outdir", folder],
    ...(isReadable ? ["--minify=false"] : []),
  ]);
  if (code !== 0) throw new Error(output);
}

/**
 * Serves a built Worker until `stop`, in a process of its own; its stores are in another, over the loopback, so that the
 * Worker waits for them as on the platform and does none of their work.
 *
 * @param {{built: Awaited<ReturnType<typeof build>>, vars?: Record<string, string>, objects?: Record<string, string[]>,
 *   delays?: object | null, isCounting?: boolean, seed?: number, args?: string[], bytes?: number}} options `args`: of the
 *   Worker's process; `bytes`: that the objects may come to
 */
export async function serve(options) {
  const { built, vars = {}, objects = {}, delays = null, isCounting = false, seed = 1, bytes } = options;
  const setup = { ...built, vars, objects, delays, isCounting, seed };
  const folder = mkdtempSync(join(roomFor(bytes), "meridian-bench-"));
  const { worker, stores, sockets } = await start(setup, folder, options.args);
  const processes = stores === null ? [worker] : [worker, stores];
  const pids = processes.map(({ pid }) => pid);
  const release = endWithUs(folder, pids);
  const stop = () => {
    pids.forEach(killGroup);
    rmSync(folder, { recursive: true, force: true });
    release();
  };
  await Promise.all(processes.map(({ untilReady }) => untilReady())).catch((error) => {
    stop();
    throw error;
  });
  return {
    url: `http://${sockets.http}`,
    pid: worker.pid,
    processes: () => ({ serving: [worker.pid], all: pids }),
    /** Where D1 lies. */
    storesFolder: join(folder, "stores"),
    stop,
    ...controlOf(sockets.control, sockets.storesControl),
  };
}

async function start(setup, folder, args) {
  const names = storeNames(setup.wrangler);
  const sockets = await freeAddresses(["http", CONSUMER, "control", "storesControl", ...names]);
  const of = (some) => Object.fromEntries(some.map((name) => [name, sockets[name]]));
  const stores =
    names.length === 0
      ? null
      : startWorkerd({
          folder: join(folder, "stores"),
          config: storesConfig(setup),
          sockets: { control: sockets.storesControl, ...of(names) },
          externals: of([CONSUMER]),
        });
  const worker = startWorkerd({
    folder: join(folder, "worker"),
    config: workerConfig(setup),
    sockets: of(["http", CONSUMER, "control"]),
    externals: of(names),
    args,
  });
  return { worker, stores, sockets };
}

/** One door to both processes: what is asked of the stores, and what both count. */
function controlOf(worker, stores) {
  return {
    sql: async (sql, params = []) => await call(`${stores}/sql`, { sql, params }),
    counts: async () => ({ ...(await call(`${worker}/counts`)), ...(await call(`${stores}/counts`)) }),
    clearKv: async () => await call(`${stores}/clear-kv`),
    backlog: async () => await call(`${stores}/backlog`),
  };
}

async function call(address, body) {
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const answer = await fetch(`http://${address}`, init);
  const content = await answer.text();
  if (!answer.ok) throw new Error(`a stand-in answered ${answer.status} at ${address}: ${content}`);
  return content === "" ? null : JSON.parse(content);
}

/** Applies the migrations as wrangler does: in the order of their names. */
export async function migrate(server, folder = join(ROOT, "migrations")) {
  for (const name of readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .sort()) {
    await server.sql(readFileSync(join(folder, name), "utf8"));
  }
}
