/** Consumed messages, as metrics. */
import { type AttemptReport, consumerKindOf } from "../../../platform/outbox";
import type { Metrics } from "./isolate-metrics";

export function recordAttempt(metrics: Metrics, report: AttemptReport): void {
  const consumer = consumerKindOf(report.consumer);
  metrics.count("consumer_attempts_total", { consumer, outcome: report.outcome });
  if (report.outcome === "skipped") return;
  metrics.observe("consumer_attempt_duration_seconds", { consumer }, report.durationMs / 1000);
}
