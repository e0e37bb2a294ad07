/** The sides that are compared: the project as it is deployed, and what a user would pick instead. */
import { TEST_SECRETS } from "../test/support/secrets.ts";
import { seed } from "./data.mjs";
import { startClassic as start } from "./peers/classic/index.mjs";
import { HS256_SECRET, peerTokens, projectTokens } from "./tokens.mjs";
import { build, migrate, serve } from "./workerd/serve.mjs";
import { SIZES, workloadsFor } from "./workloads.mjs";

const ample = { limit: 1_000_000, windowSeconds: 900 };
const AUTH_BUDGETS = ["loginPerAccount", "loginPerIp", "signUpPerIp"];
/** Beyond what any run asks. */
const LIMIT = "1000000000";

/** The budgets are raised for the load; the size of a lease is that of the default budget: a tenth of 100. */
export const PROJECT_VARS = {
  ...TEST_SECRETS,
  // A deployed build refuses an address of this machine.
  PUBLIC_URL: "https://meridian.example",
  RATE_LIMIT_MAX: LIMIT,
  RATE_LIMIT_LEASE_MAX: "10",
  AUTH_BUDGETS: JSON.stringify(Object.fromEntries(AUTH_BUDGETS.map((name) => [name, ample]))),
};
/** Methods of the objects, for those that are called through a stand-in. */
const PROJECT_OBJECTS = {
  ClientLimiter: ["ask", "revoke", "report", "setOverride", "reset"],
  MetricsShard: ["add", "read"],
  AlertKeeper: ["read", "write"],
};

const built = new Map();
/** Once a run. */
function builtOf(config, { isReadable = false }) {
  const key = `${config} ${isReadable}`;
  if (!built.has(key)) built.set(key, build(config, { isReadable }));
  return built.get(key);
}

/**
 * @typedef {object} Side
 * @property {string} name
 * @property {string} url
 * @property {ReadonlyMap<string, import("./workloads.mjs").Workload>} workloads  by name
 * @property {() => {serving: readonly number[], all: readonly number[]}} processes  pids of those that run the application,
 *   and with them those of its stores
 * @property {() => Promise<unknown>} [clearKv]  empties the cache
 * @property {() => unknown} stop
 */

/** @param {object} [options] of `serve` */
export async function startProject(options = {}) {
  const server = await serve({
    built: await builtOf("wrangler.toml", options),
    vars: PROJECT_VARS,
    objects: PROJECT_OBJECTS,
    ...options,
  });
  return await prepared("project", server, await projectTokens());
}

/** @param {object} [options] of `serve` */
export async function startLiteral(options = {}) {
  const server = await serve({
    built: await builtOf("bench/peers/literal/wrangler.toml", options),
    vars: { JWT_SECRET: HS256_SECRET, RATE_LIMIT_MAX: LIMIT },
    objects: { RateLimiter: ["hit"] },
    ...options,
  });
  return await prepared("literal", server, await peerTokens());
}

/** @param {object} [options] of `serve` */
export async function startBare(options = {}) {
  const server = await serve({ built: await builtOf("bench/peers/bare/wrangler.toml", options), ...options });
  return await withWorkloads("bare", server, await projectTokens());
}

/** As `side`, or why there is none on this machine. */
export async function startClassic() {
  const classic = await start({ ...SIZES, jwtSecret: HS256_SECRET });
  if ("skipped" in classic) return { side: null, skipped: classic.skipped };
  const { url, stop, forgetUsers: clearKv, processes } = classic;
  const server = { url, stop, clearKv, processes };
  return { side: await withWorkloads("classic", server, await peerTokens()), skipped: null };
}

async function prepared(name, server, tokenOf) {
  try {
    await migrate(server);
    await seed(server, SIZES);
    return await withWorkloads(name, server, tokenOf);
  } catch (error) {
    server.stop();
    throw error;
  }
}

async function withWorkloads(name, server, tokenOf) {
  const workloads = await workloadsFor(tokenOf);
  return { name, ...server, workloads: new Map(workloads.map((workload) => [workload.name, workload])) };
}
