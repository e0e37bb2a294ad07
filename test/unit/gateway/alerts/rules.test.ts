import { expect, test } from "vitest";
import { figuresOf } from "../../../../src/gateway/alerts/figures";
import { judgeRules } from "../../../../src/gateway/alerts/rules";
import { METRICS } from "../../../../src/gateway/metrics/catalogue";
import type { Sample } from "../../../../src/platform/observability/alerts";
import { MetricsRecorder, type Reading } from "../../../../src/platform/observability/metrics";

type Metrics = MetricsRecorder<typeof METRICS>;

const MINUTE = 60_000;

/** A sample a minute; each minute adds what `minute` records to sums that only rise. */
function samplesOf(
  minutes: number,
  minute: (metrics: Metrics, index: number) => readonly Reading[],
): Sample[] {
  const sums = new Map<string, number>();
  return Array.from({ length: minutes }, (_, index) => {
    const metrics: Metrics = new MetricsRecorder(METRICS, "metrics_series_dropped_total");
    const readings = minute(metrics, index);
    for (const [key, amount] of metrics.take()) sums.set(key, (sums.get(key) ?? 0) + amount);
    return { atMs: index * MINUTE, figures: figuresOf(sums, readings) };
  });
}

function alertsIn(samples: readonly Sample[]): string[] {
  return judgeRules(samples)
    .filter(({ summary }) => summary !== null)
    .map(({ alert }) => alert);
}

const route = "/api/users/:id";
const protocol = "rest";

function answers(metrics: Metrics, status: string, count: number): void {
  metrics.count("http_requests_total", { route, method: "GET", status, protocol }, count);
}

test("a healthy hour raises nothing", () => {
  const samples = samplesOf(61, (metrics) => {
    answers(metrics, "200", 10_000);
    answers(metrics, "429", 500);
    for (let index = 0; index < 20; index += 1)
      metrics.observe("http_request_duration_seconds", { route, protocol }, 0.02);
    metrics.count("kv_operations_total", { operation: "read" }, 100);
    metrics.count("limiter_admissions_total", { decided_by: "lease", outcome: "admitted" }, 100);
    metrics.count("logins_total", {}, 50);
    metrics.count("consumer_attempts_total", { consumer: "analytics", outcome: "retry" });
    return [{ name: "dependency_up", labels: { dependency: "d1" }, value: 1 }];
  });
  expect(alertsIn(samples)).toEqual([]);
});

test.each<[string, (metrics: Metrics, index: number) => readonly Reading[]]>([
  [
    "AvailabilityBurnFast",
    (metrics) => {
      answers(metrics, "200", 95);
      answers(metrics, "503", 5);
      return [];
    },
  ],
  [
    "LatencyBurnFast",
    (metrics, index) => {
      for (let each = 0; each < 20; each += 1)
        metrics.observe("http_request_duration_seconds", { route, protocol }, each < 15 ? 0.01 : 3 + index);
      return [];
    },
  ],
  ["OutboxLag", () => [{ name: "outbox_lag_seconds", labels: { consumer: "analytics" }, value: 400 }]],
  [
    "DeadLetters",
    (metrics, index) => {
      if (index === 55) metrics.count("consumer_attempts_total", { consumer: "analytics", outcome: "dead" });
      return [];
    },
  ],
  [
    "LimiterFailOpen",
    (metrics, index) => {
      const labels = { decided_by: "isolate", outcome: "admitted" };
      if (index === 58) metrics.count("limiter_admissions_total", labels);
      return [];
    },
  ],
  [
    "CacheFailing",
    (metrics) => {
      metrics.count("kv_operations_total", { operation: "read" }, 10);
      metrics.count("kv_failures_total", {}, 1);
      return [];
    },
  ],
  ["DependencyDown", () => [{ name: "dependency_up", labels: { dependency: "kv" }, value: 0 }]],
  [
    "LoginFailures",
    (metrics) => {
      metrics.count("login_failures_total", { reason: "invalid_credentials" }, 60);
      metrics.count("logins_total", {}, 2);
      return [];
    },
  ],
])("%s holds when its fault goes on", (alert, minute) => {
  expect(alertsIn(samplesOf(61, minute))).toEqual([alert]);
});

test("errors of an hour ago that are over burn no more", () => {
  const samples = samplesOf(61, (metrics, index) => {
    answers(metrics, index < 30 ? "503" : "200", 100);
    return [];
  });
  expect(alertsIn(samples)).toEqual([]);
});

test("somebody else's endpoint that takes nothing is no lag of ours", () => {
  const readings = [{ name: "outbox_lag_seconds", labels: { consumer: "webhook" }, value: 90_000 }];
  expect(alertsIn(samplesOf(3, () => readings))).toEqual([]);
});

test("the first sample judges nothing by what was counted before it", () => {
  const samples = samplesOf(1, (metrics) => {
    metrics.count("consumer_attempts_total", { consumer: "analytics", outcome: "dead" }, 7);
    return [];
  });
  expect(alertsIn(samples)).toEqual([]);
});
