/** What a scrape sees: the sums of every isolate, and gauges read at this moment. */
import type { HealthReport } from "../../../platform/health";
import type { Logger } from "../../../platform/observability/logger";
import {
  type ExpositionFormat,
  expose,
  type FlushContext,
  type MetricsBindings,
  type Reading,
  readShards,
} from "../../../platform/observability/metrics";
import type { Backlog } from "../../../platform/outbox";
import { METRICS } from "./catalogue";
import { metricsFlusher } from "./isolate-metrics";

export interface ReportSources {
  readonly bindings: MetricsBindings;
  readonly flush: FlushContext;
  readonly health: () => Promise<HealthReport>;
  readonly backlog: () => Promise<Backlog>;
  readonly clock: () => number;
  readonly log: Logger;
}

/**
 * This isolate's own counts are delivered first, so that a lone isolate's scrape is exact; others' arrive within
 * seconds. A gauge whose source fails is absent, and `dependency_up` says why.
 * **Errors**: `unavailable` when a shard does not answer. **Cost**: 2 object calls and one a shard; 2 D1 round trips and
 * 1 KV read, side by side with them.
 */
export async function reportMetrics(on: ReportSources, format: ExpositionFormat): Promise<string> {
  const [sums, readings] = await Promise.all([deliverAndRead(on), readGauges(on)]);
  return expose(METRICS, sums, readings, format);
}

/** Every sum, by series key. **Errors**: `unavailable`. */
export async function deliverAndRead(
  on: Pick<ReportSources, "bindings" | "flush">,
): Promise<Map<string, number>> {
  await metricsFlusher().flush(on.flush);
  return await readShards(on.bindings);
}

/** Reads the gauges. Never throws: a source that fails is logged, and its gauges are absent. */
export async function readGauges(
  on: Pick<ReportSources, "health" | "backlog" | "clock" | "log">,
): Promise<Reading[]> {
  const unread = (error: unknown) => {
    on.log.log("warn", "metrics.backlog_unread", { error });
    return null;
  };
  const [report, backlog] = await Promise.all([on.health(), on.backlog().catch(unread)]);
  // The outbox has gauges of its own.
  const answering = report.checks.filter(({ name }) => name !== "outbox");
  const dependencies = answering.map(({ name, isHealthy }) => ({
    name: "dependency_up",
    labels: { dependency: name },
    value: isHealthy ? 1 : 0,
  }));
  return backlog === null ? dependencies : [...dependencies, ...backlogReadings(backlog, on.clock())];
}

function backlogReadings({ pending, deadLetters }: Backlog, now: number): Reading[] {
  return [
    ...pending.map(({ consumer, count }) => ({
      name: "outbox_pending_deliveries",
      labels: { consumer },
      value: count,
    })),
    ...pending.map(({ consumer, oldestMs }) => ({
      name: "outbox_lag_seconds",
      labels: { consumer },
      value: Math.max(0, now - oldestMs) / 1000,
    })),
    ...deadLetters.map(({ consumer, count }) => ({
      name: "dead_letters_open",
      labels: { consumer },
      value: count,
    })),
  ];
}
