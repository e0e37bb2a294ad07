/** The Worker's contents page: what Cloudflare calls, and what the Worker exports. */
import { createApp } from "./gateway/http/app";
import { newId, systemClock } from "./platform/clock";
import { flushContext, metricsFlusher } from "./services/operations/metrics/isolate-metrics";
import { wire } from "./wiring";

const app = createApp(wire);

/** Flushes this isolate's metrics in the background. */
function flushMetrics(env: Env, ctx: ExecutionContext): void {
  const waitUntil = (work: Promise<unknown>) => ctx.waitUntil(work);
  metricsFlusher().flushSoon(flushContext(env, { clock: systemClock, newId, waitUntil }));
}

export default {
  async fetch(request, env, ctx) {
    const response = await app.fetch(request, env, ctx);
    flushMetrics(env, ctx);
    return response;
  },

  async queue(batch, env, ctx) {
    const { runBatch } = await import("./jobs/index");
    await runBatch(batch, env, ctx);
    flushMetrics(env, ctx);
  },

  async scheduled(_controller, env, ctx) {
    const { runTick } = await import("./jobs/index");
    await runTick(env, ctx);
    flushMetrics(env, ctx);
  },
} satisfies ExportedHandler<Env>;

export { AuthEntrypoint, OrdersEntrypoint, UsersEntrypoint } from "./entrypoints";
export { ClientLimiter } from "./platform/limiter/client-limiter";
export { AlertKeeper } from "./platform/observability/alerts/alert-keeper";
export { MetricsShard } from "./platform/observability/metrics/metrics-shard";
