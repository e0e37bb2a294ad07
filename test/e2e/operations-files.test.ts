/** Rules, panels and runbook speak of metrics and alerts that exist. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../../scripts/tools.mjs";
import { judgeRules } from "../../src/jobs/alerts/rules";
import { METRICS } from "../../src/services/operations/metrics/catalogue";

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const rules = read("ops/prometheus/alerts.yml");
const dashboard = read("ops/grafana/meridian.json");
const runbook = read("docs/runbook.md");
const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name ?? "");

/** Names of metrics in a text, a histogram's parts as the histogram. */
function metricsIn(text: string): string[] {
  const names = text.match(/\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?=[{[) "]|$)/gm) ?? [];
  const families = names.map((name) => name.replace(/_(bucket|count|sum)$/, ""));
  const isMetric = (name: string) =>
    /_(total|seconds|up|open|deliveries)$/.test(name) && !name.startsWith("__");
  return [...new Set(families.filter(isMetric))];
}

test.each([
  ["the alert rules", rules],
  ["the dashboard", dashboard],
])("%s ask only for metrics of the catalogue", (_, text) => {
  const names = metricsIn(text);
  expect(names.length).toBeGreaterThan(5);
  expect(names.filter((name) => !Object.hasOwn(METRICS, name))).toEqual([]);
});

test("the dashboard shows every metric of the catalogue", () => {
  const shown = new Set(metricsIn(dashboard));
  expect(Object.keys(METRICS).filter((name) => !shown.has(name))).toEqual([]);
});

test("every alert has its entry in the runbook and its unit test, the cron's own alerts too", () => {
  const entries = [...runbook.matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
  expect(entries.sort()).toEqual([...alerts].sort());
  for (const { alert } of judgeRules([])) expect(alerts).toContain(alert);
  for (const alert of alerts) expect(rules).toContain(`runbook: docs/runbook.md#${alert.toLowerCase()}`);
  const tests = read("ops/prometheus/alerts.test.yml");
  expect(alerts.filter((alert) => !tests.includes(`alertname: ${alert}`))).toEqual([]);
});

test("a metric's name and labels are what the formats allow", () => {
  for (const [name, definition] of Object.entries(METRICS)) {
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(name.endsWith("_total"), name).toBe(definition.kind === "counter");
    if ("unit" in definition) expect(name).toMatch(new RegExp(`_${definition.unit}$`));
    expect(definition.help).toMatch(/\.$/);
    for (const label of definition.labels) expect(label).toMatch(/^[a-z][a-z_]*$/);
  }
});
