/**
 * `EVENTS_TOKEN`: lets another team's consumer read the log and the ledger, and nothing else. Runs before `identify`,
 * which would take it for a bad access token.
 */
import { createMiddleware } from "hono/factory";
import { isSameSecret } from "../../../platform/encoding";
import type { GatewayEnv } from "../../request-context";
import { bearerOf } from "../bearer";

/** Not the dead letters: what lies there is for those who may replay it. */
const READABLE = /^\/api\/events(?:\/(?!dead-letters$)[^/]+)?$/;

export const eventsToken = createMiddleware<GatewayEnv>(async (c, next) => {
  const token = bearerOf(c.req.header("authorization"));
  const isSafe = c.req.method === "GET" || c.req.method === "HEAD";
  const isReading = isSafe && READABLE.test(c.req.path);
  if (isReading && token !== null && (await isSameSecret(token, c.var.config.EVENTS_TOKEN))) {
    // Charged to the address, like everyone without an access token.
    c.set("credentials", { kind: "none" });
    c.set("actor", { kind: "system", name: "events-token" });
  }
  await next();
});
