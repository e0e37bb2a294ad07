/** What work cost, as metrics. */
import type { Calls } from "../../../platform/observability/calls";
import type { Work } from "./catalogue";
import type { Metrics } from "./isolate-metrics";

/** Adds the calls of one piece of work. Give it a snapshot: what is counted later belongs to other work. */
export function recordCalls(metrics: Metrics, work: Work, calls: Calls): void {
  metrics.count("d1_round_trips_total", { work }, calls.d1RoundTrips);
  metrics.count("d1_statements_total", { work }, calls.d1Statements);
  metrics.count("d1_rows_read_total", { work }, calls.d1RowsRead);
  metrics.count("d1_rows_written_total", { work }, calls.d1RowsWritten);
  metrics.count("kv_operations_total", { operation: "read" }, calls.kvReads);
  metrics.count("kv_operations_total", { operation: "write" }, calls.kvWrites);
  metrics.count("kv_failures_total", {}, calls.kvFailures);
  metrics.count("durable_object_calls_total", { work }, calls.objectCalls);
  metrics.count("queue_sends_total", { work }, calls.queueSends);
  if (calls.cache !== null) metrics.count("cache_reads_total", { outcome: calls.cache });
}
