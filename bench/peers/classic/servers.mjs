/** Redis and PostgreSQL of the peer's own: in a temporary folder, on loopback, as their documentation advises. */
import { execFileSync, spawn } from "node:child_process";
import { chownSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { totalmem } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import pg from "pg";

const READY_ATTEMPTS_MAX = 300;
const MIB = 1024 * 1024;

/** A port that is free now. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * A cache and counters, all of which expire: nothing is written to disk, and what does not fit goes, soonest first.
 * Source: redis.io, "Key eviction" and "Redis persistence" (none for a cache).
 *
 * @param {import("./programs.mjs").Programs} programs
 */
export async function startRedis({ redisServer }, folder) {
  const port = await freePort();
  const settings = {
    ...{ port, bind: "127.0.0.1", dir: folder, "protected-mode": "yes" },
    ...{ save: "", appendonly: "no", maxmemory: "256mb", "maxmemory-policy": "volatile-ttl" },
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(redisServer, args, { stdio: ["ignore", "ignore", "inherit"] });
  const url = `redis://127.0.0.1:${port}`;
  const redis = new Redis(url, { retryStrategy: () => 100, maxRetriesPerRequest: null });
  redis.on("error", () => {});
  await untilReady("redis-server", child, async () => await redis.ping());
  redis.disconnect();
  return { child, url, stopSignal: "SIGTERM" };
}

/**
 * Durable as by default: fsync, synchronous commit and full page writes are on. Memory and the cost of a random read as
 * its documentation advises for a machine of its own with an SSD (sections 20.4.1 and 20.7.2); a GiB is enough here.
 *
 * @param {import("./programs.mjs").Programs} programs
 */
export async function startPostgres({ postgres, initdb, postgresUser }, folder) {
  const port = await freePort();
  const data = join(folder, "postgres");
  mkdirSync(data, { mode: 0o700 });
  const password = "benchmark";
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, password, { mode: 0o600 });
  const identity = postgresUser ?? {};
  if (postgresUser !== null)
    for (const path of [folder, data, passwordFile]) chownSync(path, postgresUser.uid, postgresUser.gid);
  const initialise = ["-D", data, "-U", "bench", "-A", "scram-sha-256", `--pwfile=${passwordFile}`];
  const locale = ["--encoding=UTF8", "--locale=C"];
  execFileSync(initdb, [...initialise, ...locale], {
    ...identity,
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const memoryMib = Math.floor(totalmem() / MIB);
  const settings = {
    ...{ port, listen_addresses: "127.0.0.1", unix_socket_directories: data, log_min_messages: "panic" },
    ...{ shared_buffers: `${Math.min(1024, Math.floor(memoryMib / 4))}MB`, random_page_cost: "1.1" },
    effective_cache_size: `${Math.floor(memoryMib / 2)}MB`,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const child = spawn(postgres, ["-D", data, ...args], {
    ...identity,
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const url = `postgresql://bench:${password}@127.0.0.1:${port}/postgres`;
  await untilReady(
    "postgres",
    child,
    async () => await withClient(url, (client) => client.query("SELECT 1")),
  );
  // The fast shutdown: ends sessions, then itself.
  return { child, url, stopSignal: "SIGINT" };
}

/** @template T @param {(client: pg.Client) => Promise<T>} work @returns {Promise<T>} */
export async function withClient(url, work) {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

async function untilReady(name, child, probe) {
  let last;
  for (let attempt = 0; attempt < READY_ATTEMPTS_MAX; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`);
    try {
      return await probe();
    } catch (error) {
      last = error;
      await delay(100);
    }
  }
  throw new Error(`${name} did not start: ${last?.message}`);
}
