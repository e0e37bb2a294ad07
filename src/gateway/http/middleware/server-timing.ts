/**
 * `Server-Timing`: where the user came from and how many calls the answer took. To admins alone unless
 * `SERVER_TIMING=all`, for it tells a stranger what is cached. Source: www.w3.org/TR/server-timing
 */
import { createMiddleware } from "hono/factory";
import { isAdmin } from "../../../kernel/actor";
import type { Calls } from "../../../platform/observability/calls";
import type { GatewayEnv } from "../../request-context";

export const serverTiming = createMiddleware<GatewayEnv>(async (c, next) => {
  await next();
  if (c.get("config").SERVER_TIMING !== "all" && !isAdmin(c.get("actor"))) return;
  c.res.headers.set("Server-Timing", serverTimingField(c.get("scope").calls));
});

/** Counts of calls until now; what follows the response is not in them. `d1` counts round trips: a batch is one. */
export function serverTimingField(calls: Calls): string {
  const counts = { d1: calls.d1RoundTrips, kv: calls.kvReads + calls.kvWrites, do: calls.objectCalls };
  const cache = calls.cache === null ? [] : [`cache;desc="${calls.cache}"`];
  return [...cache, ...Object.entries(counts).map(([name, count]) => `${name};desc="${count}"`)].join(", ");
}
