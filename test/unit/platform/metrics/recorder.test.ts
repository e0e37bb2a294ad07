import { expect, test } from "vitest";
import type { MetricCatalogue } from "../../../../src/platform/observability/metrics";
import { expose, formatFor, MetricsRecorder } from "../../../../src/platform/observability/metrics";

const CATALOGUE = {
  calls_total: { kind: "counter", help: "Calls.", labels: ["to"] },
  call_seconds: { kind: "histogram", unit: "seconds", help: "Time.", labels: [], buckets: [0.1, 1] },
  waiting: { kind: "gauge", help: "Waiting\nnow.", labels: ["line"] },
  dropped_total: { kind: "counter", help: "Dropped.", labels: [] },
} as const satisfies MetricCatalogue;

function recorder() {
  return new MetricsRecorder(CATALOGUE, "dropped_total");
}

test("a histogram's buckets are cumulative and its count is their last", () => {
  const metrics = recorder();
  for (const seconds of [0.05, 0.1, 0.5, 7]) metrics.observe("call_seconds", {}, seconds);
  expect(expose(CATALOGUE, metrics.take(), [], "openmetrics")).toContain(
    [
      "# HELP call_seconds Time.",
      "# TYPE call_seconds histogram",
      "# UNIT call_seconds seconds",
      'call_seconds_bucket{le="0.1"} 2',
      'call_seconds_bucket{le="1.0"} 3',
      'call_seconds_bucket{le="+Inf"} 4',
      "call_seconds_sum 7.65",
      "call_seconds_count 4",
    ].join("\n"),
  );
});

test("a counter never goes back, and nothing but numbers reaches it", () => {
  const metrics = recorder();
  metrics.count("calls_total", { to: "a" }, 2);
  for (const amount of [-1, 0, Number.NaN, Number.POSITIVE_INFINITY]) {
    metrics.count("calls_total", { to: "a" }, amount);
  }
  expect(metrics.take()).toEqual(new Map([["calls_total\na", 2]]));
  expect(metrics.isEmpty).toBe(true);
});

test("a hostile label value is shown escaped, on one line, and short", () => {
  const metrics = recorder();
  const label = `x"} 1\nforged 1\\ \ud800${"y".repeat(500)}`;
  metrics.count("calls_total", { to: label });
  const text = expose(
    CATALOGUE,
    metrics.take(),
    [{ name: "waiting", labels: { line: 'a"b' }, value: 3 }],
    "text",
  );
  const lines = text.split("\n").filter((line) => line.startsWith("calls_total"));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^calls_total\{to="x\\"\} 1 forged 1\\\\ \ufffdy{1,200}"\} 1$/);
  expect(text).toContain('waiting{line="a\\"b"} 3');
  expect(text).toContain("# HELP waiting Waiting\\nnow.");
});

test("series without end are dropped and counted, and known ones still grow", () => {
  const metrics = recorder();
  for (let index = 0; index < 5_000; index += 1) metrics.count("calls_total", { to: String(index) });
  metrics.count("calls_total", { to: "0" });
  const taken = metrics.take();
  expect(taken.size).toBeLessThanOrEqual(2_001);
  expect(taken.get("calls_total\n0")).toBe(2);
  expect(taken.get("dropped_total")).toBe(3_000);
});

test("what an earlier version recorded under other names or labels is not shown", () => {
  const sums = new Map([
    ["calls_total\na", 1],
    ["calls_total\na\nb", 5],
    ["removed_total", 7],
  ]);
  const text = expose(CATALOGUE, sums, [], "text");
  expect(text.split("\n").filter((line) => line !== "" && !line.startsWith("#"))).toEqual([
    'calls_total{to="a"} 1',
    // Without labels, so it is there from the start.
    "dropped_total 0",
  ]);
});

test.each([
  [undefined, "text"],
  ["*/*", "text"],
  ["text/plain;version=0.0.4", "text"],
  ["application/openmetrics-text;version=1.0.0,text/plain;q=0.5", "openmetrics"],
  ["text/plain, application/openmetrics-text;q=0", "text"],
])("Accept: %s is answered in %s", (accept, format) => {
  expect(formatFor(accept)).toBe(format);
});
