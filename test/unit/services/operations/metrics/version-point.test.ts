import { expect, test } from "vitest";
import { checkDataPoint } from "../../../../../src/platform/analytics";
import { MetricsRecorder } from "../../../../../src/platform/observability/metrics";
import { METRICS } from "../../../../../src/services/operations/metrics/catalogue";
import { versionPoint } from "../../../../../src/services/operations/metrics/version-point";

const VERSION = "6c1ffbc0-6d1d-4a9e-8e6b-0f7e5a1d2c3b";
const BUCKETS = METRICS.http_request_duration_seconds.buckets;

function pointOf(answers: readonly { status: string; seconds: number; route?: string }[]) {
  const recorder = new MetricsRecorder(METRICS, "metrics_series_dropped_total");
  for (const { status, seconds, route = "/api/users/:id" } of answers) {
    recorder.count("http_requests_total", { route, method: "GET", status, protocol: "rest" });
    recorder.observe("http_request_duration_seconds", { route, protocol: "rest" }, seconds);
  }
  recorder.count("logins_total", {});
  recorder.observe("consumer_attempt_duration_seconds", { consumer: "welcome-mail" }, 1);
  return versionPoint(VERSION, [...recorder.take()]);
}

test("a version's requests, its failures and its durations are one point, over all routes", () => {
  const point = pointOf([
    { status: "200", seconds: 0 },
    { status: "404", seconds: 0.004, route: "/api/orders" },
    { status: "500", seconds: 0.3 },
    { status: "503", seconds: 99, route: "/api/orders" },
  ]);
  const durations = [...BUCKETS, Number.POSITIVE_INFINITY].map((bound) => {
    if (bound === BUCKETS[0]) return 2;
    return bound === 0.5 || bound === Number.POSITIVE_INFINITY ? 1 : 0;
  });
  expect(point).toEqual({ index: VERSION, blobs: ["version", VERSION], doubles: [4, 2, ...durations] });
});

test("the point keeps within the limits of Analytics Engine", () => {
  const point = pointOf([{ status: "200", seconds: 1 }]);
  expect(point && checkDataPoint(point)).toBe(point);
});

test("a flush without an answered request writes no point", () => {
  expect(pointOf([])).toBeNull();
});
