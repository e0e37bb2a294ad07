/** Outermost of all middleware: counts every answer, refusals, faults and unmatched paths among them. */
import { createMiddleware } from "hono/factory";
import { systemClock } from "../../../platform/clock";
import { metrics } from "../../../services/operations/metrics/isolate-metrics";
import type { GatewayEnv } from "../../request-context";
import { methodOf, protocolOf, routeOf } from "../route-label";

export const requestMetrics = createMiddleware<GatewayEnv>(async (c, next) => {
  const startedAt = systemClock();
  await next();
  const recorder = metrics();
  const protocol = protocolOf(c.req.path);
  const route = routeOf(c);
  const labels = { route, method: methodOf(c.req.method), status: String(c.res.status), protocol };
  recorder.count("http_requests_total", labels);
  recorder.observe("http_request_duration_seconds", { route, protocol }, (systemClock() - startedAt) / 1000);
  const code = c.get("errorCode");
  if (code !== undefined) recorder.count("http_refusals_total", { code, protocol });
});
