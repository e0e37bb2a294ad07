/** Contents page of the Worker: what Cloudflare calls, and what it exports. */
import { consume } from "./gateway/consumers/queue";
import { consumerOf } from "./gateway/consumers/registry";
import { createApp } from "./gateway/http/app";
import { recordAttempt } from "./gateway/metrics/consumers";
import { flushContext, metrics, metricsFlusher } from "./gateway/metrics/isolate-metrics";
import { recordCalls } from "./gateway/metrics/record-calls";
import { runScheduled } from "./gateway/scheduled";
import { backgroundScope } from "./platform/background-scope";
import { newId, systemClock } from "./platform/clock";
import { Database } from "./platform/database";
import { configOf } from "./platform/env";
import { Dispatcher } from "./platform/outbox";
import { wire, wireConsumers } from "./wiring";

const app = createApp(wire);

/** The way of what was recorded out of the isolate, in the background. */
function flushMetrics(env: Env, ctx: ExecutionContext): void {
  const waitUntil = (work: Promise<unknown>) => ctx.waitUntil(work);
  metricsFlusher.flushSoon(flushContext(env, { clock: systemClock, newId, waitUntil }));
}

export default {
  async fetch(request, env, ctx) {
    const response = await app.fetch(request, env, ctx);
    flushMetrics(env, ctx);
    return response;
  },

  async queue(batch, env, ctx) {
    const config = configOf(env);
    const scope = backgroundScope("queue", config, ctx);
    const consumers = wireConsumers(env, config, wire(env, config, scope));
    const dispatcher = new Dispatcher({
      database: new Database(env.DB, scope.calls),
      scope,
      consumerOf: consumerOf(consumers),
      attemptsMax: config.CONSUMER_ATTEMPTS_MAX,
      backoffSeconds: config.CONSUMER_BACKOFF_SECONDS,
      resendSeconds: config.EVENT_RESEND_SECONDS,
      publicUrl: config.PUBLIC_URL,
      onAttempt: (report) => recordAttempt(metrics, report),
    });
    await consume(batch, dispatcher);
    scope.log.log("info", "batch", { queue: batch.queue, messages: batch.messages.length, ...scope.calls });
    recordCalls(metrics, "queue", scope.calls);
    flushMetrics(env, ctx);
  },

  async scheduled(_controller, env, ctx) {
    const config = configOf(env);
    const scope = backgroundScope("cron", config, ctx);
    await runScheduled(wire(env, config, scope), config, scope);
    recordCalls(metrics, "cron", scope.calls);
    flushMetrics(env, ctx);
  },
} satisfies ExportedHandler<Env>;

export { AuthEntrypoint, OrdersEntrypoint, UsersEntrypoint } from "./entrypoints";
export { ClientLimiter } from "./platform/limiter/client-limiter";
export { AlertKeeper } from "./platform/observability/alerts/alert-keeper";
export { MetricsShard } from "./platform/observability/metrics/metrics-shard";
