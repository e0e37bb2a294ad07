import { expect, test } from "vitest";
import { figuresOf } from "../../../../src/jobs/alerts/figures";
import { judgeRules } from "../../../../src/jobs/alerts/rules";
import { type Sample, withSample } from "../../../../src/platform/observability/alerts";
import { MetricsRecorder, type Reading } from "../../../../src/platform/observability/metrics";
import { METRICS } from "../../../../src/services/operations/metrics/catalogue";

type Metrics = MetricsRecorder<typeof METRICS>;

const MINUTE = 60_000;

type Minute = (metrics: Metrics, index: number) => readonly Reading[];

/** What is kept of a sample a minute, in which the sweep runs and `minute` records, in sums that only rise. */
function samplesOf(minutes: number, minute: Minute, isSwept = true): readonly Sample[] {
  const sums = new Map<string, number>();
  let samples: readonly Sample[] = [];
  for (let index = 0; index < minutes; index += 1) {
    const metrics: Metrics = new MetricsRecorder(METRICS, "metrics_series_dropped_total");
    if (isSwept) metrics.count("cron_runs_total", { task: "sweep", outcome: "done" });
    const readings = minute(metrics, index);
    for (const [key, amount] of metrics.take()) sums.set(key, (sums.get(key) ?? 0) + amount);
    samples = withSample(samples, { atMs: index * MINUTE, figures: figuresOf(sums, readings) });
  }
  return samples;
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
    metrics.count("consumer_attempts_total", { consumer: "analytics", outcome: "done" }, 5);
    metrics.count("consumer_attempts_total", { consumer: "analytics", outcome: "retry" });
    metrics.count("consumer_attempts_total", { consumer: "webhook", outcome: "retry" }, 100);
    metrics.count("signups_total", {});
    return [{ name: "dependency_up", labels: { dependency: "d1" }, value: 1 }];
  });
  expect(alertsIn(samples)).toEqual([]);
});

test.each<[string, Minute, string[]?]>([
  [
    "AvailabilityBurnFast",
    (metrics) => {
      answers(metrics, "200", 95);
      answers(metrics, "503", 5);
      return [];
    },
    ["AvailabilityBurnSlow"],
  ],
  [
    "AvailabilityBurnSlow",
    (metrics) => {
      answers(metrics, "200", 990);
      answers(metrics, "503", 10);
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
    ["LatencyBurnSlow"],
  ],
  [
    "LatencyBurnSlow",
    (metrics) => {
      for (let each = 0; each < 10; each += 1)
        metrics.observe("http_request_duration_seconds", { route, protocol }, each < 9 ? 0.01 : 3);
      return [];
    },
  ],
  [
    "ConsumerFailing",
    (metrics) => {
      metrics.count("consumer_attempts_total", { consumer: "welcome-mail", outcome: "done" });
      metrics.count("consumer_attempts_total", { consumer: "welcome-mail", outcome: "retry" }, 2);
      metrics.count("consumer_attempts_total", { consumer: "analytics", outcome: "done" }, 50);
      return [];
    },
  ],
  ["OutboxLag", () => [{ name: "outbox_lag_seconds", labels: { consumer: "analytics" }, value: 400 }]],
  [
    "DeadLetters",
    (metrics, index) => {
      metrics.count("consumer_attempts_total", { consumer: "analytics", outcome: "done" });
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
])("%s holds when its fault goes on", (alert, minute, also = []) => {
  expect(alertsIn(samplesOf(61, minute))).toEqual([alert, ...also]);
});

test("a slow burn looks back over six hours, and is over when half an hour was well", () => {
  const burning = (isOver: (index: number) => boolean) =>
    samplesOf(420, (metrics, index) => {
      answers(metrics, "200", 995);
      if (index < 200 || !isOver(index)) answers(metrics, "503", 15);
      return [];
    });
  expect(alertsIn(burning((index) => index < 389))).toEqual(["AvailabilityBurnSlow"]);
  expect(alertsIn(burning(() => true))).toEqual([]);
});

test("nobody signs up, where people did yesterday at this time: told; where nobody did, or the record is younger, not", () => {
  const between =
    (first: number, last: number): Minute =>
    (metrics, index) => {
      if (index >= first && index < last && index % 5 === 0) metrics.count("signups_total", {});
      return [];
    };
  expect(alertsIn(samplesOf(1_600, between(0, 300)))).toEqual(["NoSignups"]);
  expect(alertsIn(samplesOf(1_600, between(0, 1_600)))).toEqual([]);
  expect(alertsIn(samplesOf(1_600, between(400, 500)))).toEqual([]);
  expect(alertsIn(samplesOf(300, between(0, 100)))).toEqual([]);
});

test("a sweep that has not run to its end for ten minutes is told, but not in the first ten", () => {
  expect(alertsIn(samplesOf(9, () => [], false))).toEqual([]);
  expect(alertsIn(samplesOf(12, () => [], false))).toEqual(["CronSilent"]);
});

test("a day and two hours are remembered in a bounded number of samples, the last hour minute by minute", () => {
  const samples = samplesOf(4_000, () => []);
  expect(samples.length).toBeLessThanOrEqual(172);
  const ages = samples.map(({ atMs }) => 3_999 - atMs / MINUTE);
  expect(ages.slice(-61)).toEqual(Array.from({ length: 61 }, (_, index) => 60 - index));
  expect(ages[0]).toBeGreaterThanOrEqual(1_560);
  expect(Math.max(...ages.slice(1).map((age, index) => (ages[index] ?? 0) - age))).toBeLessThanOrEqual(15);
});

test("a record that an older version kept, without a rule's figures, raises nothing", () => {
  const old: Sample = { atMs: 0, figures: { requests: 5 } };
  const figures = figuresOf(new Map([["signups_total", 40]]), []);
  expect(alertsIn([old, { atMs: 5 * MINUTE, figures }])).toEqual([]);
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
