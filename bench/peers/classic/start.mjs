/**
 * The classic peer, started and ended by the benchmark: Express 5 with express-rate-limit, jsonwebtoken, Redis and
 * PostgreSQL. `npx node bench/peers/classic/start.mjs --check` starts it, walks each endpoint and prints what answered.
 */
import { fork, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { descendantsOf } from "../../../scripts/process-tree.mjs";
import { exitOf, nodeBinary, ROOT } from "../../../scripts/tools.mjs";
import { findPrograms } from "./programs.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const LOCK = "package-lock.json";
/** Longer than any measurement. */
const BENCH_TOKEN_TTL_SECONDS = 24 * 3600;

/**
 * @typedef {object} Options
 * @property {number} users seeded; the first is the administrator
 * @property {number} products seeded, with more stock than a benchmark can order
 * @property {number} [port] of the application, on loopback; a free one by default
 * @property {string} [jwtSecret] with which tokens are signed; a random one by default
 * @property {number} [processes] of the application; 1, for one workerd is one thread too
 * @property {number} [limitMax] requests in 15 minutes of each client; by default more than a benchmark sends
 * @property {number} [authLimitMax] sign-ups and logins in 15 minutes of each address; by default the same
 * @property {string} [logLevel] `info` writes a line for each request, as Meridian does
 */

/**
 * Starts Redis, PostgreSQL with the seeded rows, and the application.
 *
 * @param {Options} options
 * @returns {Promise<ClassicPeer | {skipped: string}>} `skipped` says what the machine lacks
 * @typedef {object} ClassicPeer
 * @property {string} url
 * @property {readonly string[]} userIds in the order of their creation
 * @property {readonly string[]} productIds
 * @property {string} password of every seeded user
 * @property {(index: number) => string} emailOf
 * @property {(userId: string) => string} tokenOf an access token that lives for a day
 * @property {() => {serving: readonly number[], all: readonly number[]}} processes pids of the application's, and of all: Redis
 *   and PostgreSQL included
 * @property {() => Promise<void>} forgetUsers empties the cache of users, and nothing else
 * @property {() => Promise<void>} stop ends all that was started, and removes its folder
 */
export async function startClassic(options) {
  const programs = findPrograms();
  if ("skipped" in programs) return programs;
  await ensureInstalled();
  const { issueToken } = await import("./tokens.mjs");
  const seeded = await import("./seed.mjs");
  const { freePort } = await import("./servers.mjs");
  const {
    port = await freePort(),
    jwtSecret = randomBytes(32).toString("base64url"),
    processes = 1,
  } = options;
  const host = forkHost();
  const stop = () => stopHost(host);
  try {
    const { redisUrl, pid } = await startedBy(host, { ...options, port, processes, jwtSecret, programs });
    const listOf = (length, idOf) => Array.from({ length }, (_, index) => idOf(index));
    const userIds = listOf(options.users, seeded.seededUserId);
    return {
      url: `http://127.0.0.1:${port}`,
      userIds,
      productIds: listOf(options.products, seeded.seededProductId),
      password: seeded.SEED_PASSWORD,
      emailOf: seeded.seededEmail,
      tokenOf(id) {
        const role = id === userIds[0] ? "admin" : "user";
        return issueToken(jwtSecret, { id, role }, { sessionId: id, ttlSeconds: BENCH_TOKEN_TTL_SECONDS });
      },
      processes: () => ({ serving: treeOf(pid), all: treeOf(host.pid) }),
      forgetUsers: () => forgetUsers(redisUrl),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A group of its own, so that a Ctrl-C in the terminal reaches it through us alone, and it can end its children in order. */
function forkHost() {
  return fork(join(HERE, "host.mjs"), {
    execPath: nodeBinary(),
    detached: true,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

async function startedBy(
  host,
  { limitMax = 1e9, authLimitMax = 1e9, logLevel = "info", jwtSecret, ...options },
) {
  const environment = {
    JWT_SECRET: jwtSecret,
    RATE_LIMIT_MAX: String(limitMax),
    AUTH_LIMIT_MAX: String(authLimitMax),
    LOG_LEVEL: logLevel,
  };
  const ended = once(host, "exit").then(() =>
    Promise.reject(new Error("the classic peer ended while starting")),
  );
  ended.catch(() => {});
  host.send({ type: "start", options: { ...options, environment } });
  const [answer] = await Promise.race([once(host, "message"), ended]);
  if (answer.type === "failed") throw new Error(answer.message);
  return answer;
}

async function stopHost(host) {
  if (host.exitCode !== null || host.signalCode !== null) return;
  const ended = once(host, "exit");
  if (host.connected) host.send({ type: "stop" });
  await ended;
}

const treeOf = (pid) => [pid, ...descendantsOf(pid)];

async function forgetUsers(redisUrl) {
  const { Redis } = await import("ioredis");
  const redis = new Redis(redisUrl);
  for await (const keys of redis.scanStream({ match: "user:*", count: 1000 })) {
    if (keys.length > 0) await redis.unlink(...keys);
  }
  redis.disconnect();
}

/**
 * The peer's packages are its own, so that nobody installs them who does not measure. They are put in place whole, for two
 * runs may begin at the same time.
 */
async function ensureInstalled() {
  if (isInstalled()) return;
  const cache = join(ROOT, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "classic-"));
  try {
    for (const file of ["package.json", LOCK]) cpSync(join(HERE, file), join(folder, file));
    const npm = spawn("npm", ["ci", "--ignore-scripts", "--loglevel=error", "--workspaces=false"], {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit"],
    });
    if ((await exitOf(npm)) !== 0) throw new Error("npm ci failed for bench/peers/classic");
    if (isInstalled()) return;
    rmSync(join(HERE, "node_modules"), { recursive: true, force: true });
    renameSync(join(folder, "node_modules"), join(HERE, "node_modules"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function isInstalled() {
  return versionsIn(join(HERE, "node_modules/.package-lock.json")) === versionsIn(join(HERE, LOCK));
}

function versionsIn(path) {
  if (!existsSync(path)) return null;
  return Object.entries(JSON.parse(readFileSync(path, "utf8")).packages)
    .filter(([name]) => name !== "")
    .map(([name, { version }]) => `${name}@${version}`)
    .sort()
    .join();
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes("--check")) {
  const { check } = await import("./check.mjs");
  process.exitCode = await check(startClassic);
}
