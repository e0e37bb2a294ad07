/**
 * How the requests of one version went: a data point of every flush. A gradual rollout compares two versions by it,
 * where the sums of `/metrics` are over all versions. `scripts/rollout/metrics.mjs` reads it.
 *
 * ```
 * index1, blob2  the version's id          double1  requests answered
 * blob1          "version"                 double2  of these, answered with 500 or more
 *                                          double3  and on: durations, one number for each bucket, the last without bound
 * ```
 */
import type { DataPoint } from "../../../platform/analytics";
import { decodeSeriesKey, type MetricsBatch } from "../../../platform/observability/metrics";
import { METRICS } from "./catalogue";

const { http_requests_total: REQUESTS, http_request_duration_seconds: DURATIONS } = METRICS;
const STATUS = REQUESTS.labels.indexOf("status");
/** As the recorder names a histogram's buckets, behind the values of its labels. */
const PARTS = [...DURATIONS.buckets, "+Inf"].map((bound) => `le ${bound}`);

/** Returns the point of what was counted since the last flush; null when no request was answered in that time. */
export function versionPoint(version: string, deltas: MetricsBatch["deltas"]): DataPoint | null {
  let [requests, failures] = [0, 0];
  const durations = PARTS.map(() => 0);
  for (const [key, amount] of deltas) {
    const { name, labelValues } = decodeSeriesKey(key);
    if (name === "http_requests_total") {
      requests += amount;
      if (Number(labelValues[STATUS]) >= 500) failures += amount;
    } else if (name === "http_request_duration_seconds") {
      const bucket = PARTS.indexOf(labelValues.at(-1) ?? "");
      if (bucket !== -1) durations[bucket] = (durations[bucket] ?? 0) + amount;
    }
  }
  if (requests === 0) return null;
  return { index: version, blobs: ["version", version], doubles: [requests, failures, ...durations] };
}
