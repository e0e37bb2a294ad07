/** First of all middleware: identifies the request, wires its services, and logs one line when it is answered. */
import type { HonoRequest } from "hono";
import { createMiddleware } from "hono/factory";
import { ANONYMOUS } from "../../../kernel/actor";
import { isBookmark } from "../../../kernel/bookmark";
import { newId, systemClock } from "../../../platform/clock";
import { configOf } from "../../../platform/env";
import { type Calls, newCalls } from "../../../platform/observability/calls";
import { createLogger } from "../../../platform/observability/logger";
import { continueTrace, traceIdOf } from "../../../platform/observability/traceparent";
import { requestWork } from "../../../platform/request-work";
import type { Caller, Scope } from "../../../platform/scope";
import { metrics } from "../../../services/operations/metrics/isolate-metrics";
import { recordCalls } from "../../../services/operations/metrics/record-calls";
import type { GatewayEnv, Wire } from "../../request-context";
import { methodOf, protocolOf, routeOf } from "../route-label";

/** What only a login wants is read when asked for: the runtime makes an object out of `cf`. */
function callerOf(req: HonoRequest): Caller {
  return {
    address: req.header("cf-connecting-ip") ?? null,
    get userAgent() {
      return req.header("user-agent") ?? null;
    },
    get cf() {
      return req.raw.cf ?? null;
    },
  };
}

export function requestScope(wire: Wire) {
  return createMiddleware<GatewayEnv>(async (c, next) => {
    const config = configOf(c.env);
    const requestId = c.get("requestId");
    const traceparent = continueTrace(c.req.header("traceparent"));
    const bookmark = c.req.header("x-d1-bookmark");
    const log = createLogger(config.LOG_LEVEL, { requestId, traceId: traceIdOf(traceparent) });
    const calls = newCalls();
    const { respond, ...work } = requestWork({
      ...{ calls, log },
      keep: (promise) => c.executionCtx.waitUntil(promise),
      record: (later) => recordCalls(metrics(), "after_response", later),
    });
    const scope: Scope = {
      requestId,
      traceparent,
      // A malformed one is refused further down, after it has been charged.
      clientBookmark: bookmark !== undefined && isBookmark(bookmark) ? bookmark : null,
      caller: callerOf(c.req),
      clock: systemClock,
      newId,
      calls,
      log,
      ...work,
    };
    c.set("config", config);
    c.set("scope", scope);
    c.set("services", wire(c.env, config, scope));
    c.set("actor", ANONYMOUS);
    const startedAt = scope.clock();
    await next();
    const spent = respond();
    log.log("info", "request", {
      method: methodOf(c.req.method),
      route: routeOf(c),
      protocol: protocolOf(c.req.path),
      status: c.res.status,
      code: c.get("errorCode") ?? null,
      actor: c.get("actor").kind,
      // When deployed the clock only moves with I/O: pure CPU time reads 0.
      durationMs: scope.clock() - startedAt,
      ...spent,
    });
    recordSpent(spent, c.get("errorCode"));
  });
}

/** Counts what the response took, and who decided on its admission. */
function recordSpent(spent: Calls, code: string | undefined): void {
  recordCalls(metrics(), "request", spent);
  if (spent.admittedBy === null) return;
  const outcome = code === "rate_limited" ? "refused" : "admitted";
  metrics().count("limiter_admissions_total", { decided_by: spent.admittedBy, outcome });
}
