import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { newId, systemClock } from "../../../src/platform/clock";
import { encodeSeriesKey } from "../../../src/platform/observability/metrics/series-key";
import { flushContext } from "../../../src/services/operations/metrics/isolate-metrics";

test("what a version answered reaches Analytics Engine under its id, before what the limit may cut off", () => {
  const points: AnalyticsEngineDataPoint[] = [];
  const played = {
    ...env,
    VERSION: { id: "6c1ffbc0-6d1d-4a9e-8e6b-0f7e5a1d2c3b", tag: "", timestamp: "" },
    ANALYTICS: { writeDataPoint: (point: AnalyticsEngineDataPoint) => void points.push(point) },
  };
  const deltas = Array.from({ length: 300 }, (_, index) => {
    const labels = [`/route/${index}`, "GET", "200", "rest"];
    return [encodeSeriesKey("http_requests_total", labels), 1] as const;
  });
  const context = flushContext(played, { clock: systemClock, newId, waitUntil: () => undefined });
  context.onDelivered?.(deltas);
  expect(points[0]).toMatchObject({ indexes: [played.VERSION.id], blobs: ["version", played.VERSION.id] });
  expect(points[0]?.doubles?.[0]).toBe(300);
  expect(points.length).toBeLessThanOrEqual(250);
});
