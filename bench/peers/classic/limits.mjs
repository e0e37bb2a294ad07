/** The limits: express-rate-limit over its Redis store, one counter a client for all processes. */
import { ipKeyGenerator, rateLimit } from "express-rate-limit";
import { RedisStore } from "rate-limit-redis";
import { Problem, sendProblem } from "./problem.mjs";

const WINDOW_MS = 15 * 60 * 1000;

/**
 * 100 in 15 minutes, by user or else by address.
 *
 * @param {import("./services.mjs").Services} services
 */
export function defaultLimit({ redis, settings }) {
  return limiter(redis, {
    identifier: "default",
    limit: settings.limitMax,
    standardHeaders: "draft-8",
    keyGenerator: ({ actor, ip }) => (actor === null ? ipKeyGenerator(ip, 64) : `user:${actor.id}`),
  });
}

/** Attempts at sign-up and login by address. @param {import("./services.mjs").Services} services */
export function authLimit({ redis, settings }, identifier) {
  return limiter(redis, {
    identifier,
    limit: settings.authLimitMax,
    standardHeaders: false,
    keyGenerator: ({ ip }) => ipKeyGenerator(ip, 64),
  });
}

function limiter(redis, { identifier, ...options }) {
  return rateLimit({
    ...options,
    identifier,
    windowMs: WINDOW_MS,
    legacyHeaders: false,
    store: new RedisStore({
      prefix: `rl:${identifier}:`,
      sendCommand: (command, ...args) => redis.call(command, ...args),
    }),
    handler: (_req, res) =>
      sendProblem(res, new Problem("rate_limited", "The budget for this client is spent.")),
  });
}
