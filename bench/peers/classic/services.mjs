/** What the handlers stand on, built once a process: the pool of PostgreSQL connections, Redis, and the settings. */
import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import pg from "pg";

// Money and sequences: `bigint`, below 2^53 here.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/**
 * @typedef {{databaseUrl: string, redisUrl: string, jwtSecret: string, limitMax: number, authLimitMax: number, logLevel: string}} Settings
 * @typedef {{settings: Settings, pool: pg.Pool, redis: Redis}} Services
 */

/** Settings out of the environment, as a deployment gives them. @returns {Settings} */
export function readSettings(env) {
  return {
    databaseUrl: env.DATABASE_URL,
    redisUrl: env.REDIS_URL,
    jwtSecret: env.JWT_SECRET,
    limitMax: Number(env.RATE_LIMIT_MAX ?? 100),
    authLimitMax: Number(env.AUTH_LIMIT_MAX ?? 50),
    logLevel: env.LOG_LEVEL ?? "info",
  };
}

/** @param {Settings} settings @returns {Services} */
export function connect(settings) {
  return {
    settings,
    // Ten connections are the pool's own default, and enough to keep one process and two cores busy.
    pool: new pg.Pool({ connectionString: settings.databaseUrl, max: 10 }),
    // What is asked for in one turn of the loop goes out in one write, as ioredis advises for throughput.
    redis: new Redis(settings.redisUrl, { enableAutoPipelining: true }),
  };
}

/**
 * A prepared statement: its name is its text's, so that each connection parses and plans it once.
 *
 * @param {string} name
 * @param {string} text
 */
export function prepared(name, text) {
  return async (client, values) => (await client.query({ name, text, values })).rows;
}

/** UUIDv7, so that new rows lie beside one another in the index. */
export function newId() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Keyset cursors: the last row's sort key and id. */
export const cursors = {
  seal: (key, id) => Buffer.from(JSON.stringify([key, id])).toString("base64url"),
  open(text) {
    try {
      const [key, id] = JSON.parse(Buffer.from(text, "base64url").toString());
      return { key, id };
    } catch {
      return null;
    }
  },
};
