/** A scope for work that no HTTP request asked for. */
import { newId, systemClock } from "./clock";
import type { Config } from "./env";
import { newCalls } from "./observability/calls";
import { createLogger } from "./observability/logger";
import { continueTrace, traceIdOf } from "./observability/traceparent";
import { type Scope, started, unattended } from "./scope";

/** @param kind what did: a batch of messages, the clock, another Worker */
export function backgroundScope(
  kind: "queue" | "cron" | "binding",
  config: Config,
  ctx: Pick<ExecutionContext, "waitUntil">,
): Scope {
  const requestId = newId();
  const traceparent = continueTrace(undefined);
  const log = createLogger(config.LOG_LEVEL, { requestId, kind, traceId: traceIdOf(traceparent) });
  const waitUntil = (work: Promise<unknown>) => ctx.waitUntil(unattended(work, log));
  return {
    requestId,
    traceparent,
    clientBookmark: null,
    clock: systemClock,
    newId,
    calls: newCalls(),
    log,
    waitUntil,
    afterResponse: (task) => waitUntil(started(task)),
  };
}
