/** Outermost of all middleware: counts every answer, refusals, faults and unmatched paths among them. */
import { createMiddleware } from "hono/factory";
import { systemClock } from "../../../platform/clock";
import {
  metrics as isolateMetrics,
  type Metrics,
} from "../../../services/operations/metrics/isolate-metrics";
import { recordCalls } from "../../../services/operations/metrics/record-calls";
import type { GatewayEnv } from "../../request-context";
import { methodOf, protocolOf, routeOf } from "../route-label";

export function requestMetrics(metrics: Metrics = isolateMetrics) {
  return createMiddleware<GatewayEnv>(async (c, next) => {
    const startedAt = systemClock();
    await next();
    const protocol = protocolOf(c.req.path);
    const route = routeOf(c);
    const labels = { route, method: methodOf(c.req.method), status: String(c.res.status), protocol };
    metrics.count("http_requests_total", labels);
    metrics.observe("http_request_duration_seconds", { route, protocol }, (systemClock() - startedAt) / 1000);
    const code = c.get("errorCode");
    if (code !== undefined) metrics.count("http_refusals_total", { code, protocol });
    // Absent when the configuration is not valid.
    const calls = c.get("scope")?.calls;
    if (calls === undefined) return;
    recordCalls(metrics, "request", calls);
    if (calls.admittedBy !== null) {
      const outcome = code === "rate_limited" ? "refused" : "admitted";
      metrics.count("limiter_admissions_total", { decided_by: calls.admittedBy, outcome });
    }
  });
}
