/** Metrics: recorded in the isolate, added up in a few objects, shown on request. */
export type { MetricsBatch } from "./batch";
export type { MetricCatalogue, Reading } from "./definition";
export { CONTENT_TYPES, type ExpositionFormat, expose, formatFor } from "./exposition";
export { FLUSH_AFTER_MS, type FlushContext, MetricsFlusher } from "./flusher";
export { MetricsRecorder } from "./recorder";
export { decodeSeriesKey } from "./series-key";
export { addToShard, type MetricsBindings, readShards } from "./shards";
