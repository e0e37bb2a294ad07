/** This isolate's recorder and flusher. */
import { Analytics } from "../../../platform/analytics";
import { kept } from "../../../platform/isolate";
import { createLogger } from "../../../platform/observability/logger";
import {
  addToShard,
  decodeSeriesKey,
  type FlushContext,
  type MetricsBatch,
  MetricsFlusher,
  MetricsRecorder,
} from "../../../platform/observability/metrics";
import type { Scope } from "../../../platform/scope";
import { METRICS } from "./catalogue";
import { versionPoint } from "./version-point";

/** A flush belongs to no request, so the line has no request id. */
const log = createLogger("warn");

export type Metrics = MetricsRecorder<typeof METRICS>;

export const metrics = kept((): Metrics => new MetricsRecorder(METRICS, "metrics_series_dropped_total"));

export const metricsFlusher = kept(
  () =>
    new MetricsFlusher(metrics(), (error) => {
      metrics().count("metrics_flush_failures_total", {});
      log.log("warn", "metrics.flush_failed", { error });
    }),
);

/** Of one invocation; 250 is what an invocation may write. Source: developers.cloudflare.com/analytics/analytics-engine/limits */
const POINTS_MAX = 200;

export function flushContext(env: Env, on: Pick<Scope, "clock" | "newId" | "waitUntil">): FlushContext {
  return {
    add: (batch) => addToShard(env, batch),
    onDelivered: (deltas) => writePoints(env, deltas),
    clock: on.clock,
    newId: on.newId,
    waitUntil: on.waitUntil,
    sleep: (ms) => scheduler.wait(ms),
  };
}

/**
 * Writes the same numbers as data points: the name is the index, the labels are blobs, and the amount is the double. The
 * point of the version comes first, so that the platform's limit never cuts it off.
 */
function writePoints(env: Env, deltas: MetricsBatch["deltas"]): void {
  const analytics = new Analytics(env.ANALYTICS);
  const ofVersion = versionPoint(env.VERSION.id, deltas);
  if (ofVersion !== null) analytics.write(ofVersion);
  for (const [key, amount] of deltas.slice(0, POINTS_MAX)) {
    const { name, labelValues } = decodeSeriesKey(key);
    analytics.write({ index: name, blobs: ["metric", name, ...labelValues], doubles: [amount] });
  }
}
