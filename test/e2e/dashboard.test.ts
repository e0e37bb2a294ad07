/**
 * ops/grafana/meridian.json is what Grafana imports: its model, by Grafana's own documentation of it; and its queries, by
 * Prometheus' parser (promtool, of the Debian package `prometheus`) and by the catalogue.
 * Source: grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../../scripts/tools.mjs";
import * as z from "../../src/kernel/schema";
import type { MetricDefinition } from "../../src/platform/observability/metrics/definition";
import { METRICS } from "../../src/services/operations/metrics/catalogue";

/** Grafana's way to name the data source that its reader chose. */
const CHOSEN = "$" + "{datasource}";
const COLUMNS = 24;
const whole = z.int().check(z.minimum(0));
const text = z.string().check(z.minLength(1));
const chosenSource = z.strictObject({ type: z.literal("prometheus"), uid: z.literal(CHOSEN) });
const gridPos = z.strictObject({
  x: whole,
  y: whole,
  w: z.int().check(z.minimum(1), z.maximum(COLUMNS)),
  h: z.int().check(z.minimum(1)),
});

const row = z.strictObject({
  id: whole,
  type: z.literal("row"),
  title: text,
  collapsed: z.literal(false),
  gridPos,
  panels: z.array(z.never()),
});

const target = z.strictObject({
  refId: z.string().check(z.regex(/^[A-Z]$/)),
  expr: text,
  legendFormat: text,
});

const panel = z.strictObject({
  id: whole,
  type: z.enum(["timeseries", "stat", "gauge", "table", "bargauge"]),
  title: text,
  description: z.string(),
  datasource: chosenSource,
  gridPos,
  fieldConfig: z.strictObject({
    defaults: z.strictObject({
      // Ids of Grafana's units. One that it does not know is shown as a suffix.
      unit: z.enum(["short", "s", "ms", "percentunit", "reqps", "ops", "cps", "bytes", "none"]),
      min: z.optional(z.number()),
      max: z.optional(z.number()),
    }),
    overrides: z.array(z.never()),
  }),
  options: z.strictObject({
    legend: z.strictObject({
      displayMode: z.enum(["list", "table", "hidden"]),
      placement: z.enum(["bottom", "right"]),
    }),
    tooltip: z.strictObject({ mode: z.enum(["single", "multi", "none"]) }),
  }),
  targets: z.array(target).check(z.minLength(1)),
});

const dashboardSchema = z.strictObject({
  uid: z.string().check(z.minLength(1), z.maxLength(40)),
  title: text,
  tags: z.array(text),
  timezone: z.enum(["browser", "utc", ""]),
  schemaVersion: z.int().check(z.minimum(36)),
  version: whole,
  refresh: z.string().check(z.regex(/^\d+[smh]$/)),
  time: z.strictObject({ from: z.string().check(z.regex(/^now-\d+[mhd]$/)), to: z.literal("now") }),
  templating: z.strictObject({
    list: z.array(
      z.strictObject({
        name: text,
        label: text,
        type: z.literal("datasource"),
        query: text,
        current: z.object({}),
      }),
    ),
  }),
  annotations: z.strictObject({
    list: z.array(
      z.strictObject({
        name: text,
        enable: z.boolean(),
        iconColor: text,
        datasource: chosenSource,
        expr: text,
        titleFormat: text,
      }),
    ),
  }),
  panels: z.array(z.union([row, panel])).check(z.minLength(1)),
});

const source: unknown = JSON.parse(readFileSync(join(ROOT, "ops/grafana/meridian.json"), "utf8"));
const parsed = dashboardSchema.safeParse(source);
const dashboard = parsed.data;
const panels = dashboard?.panels ?? [];
const graphs = panels.flatMap((each) => (each.type === "row" ? [] : [each]));
const targets = graphs.flatMap(({ title, targets: list }) => list.map((each) => ({ title, ...each })));

test("the dashboard is of Grafana's model, with its data source to be chosen", () => {
  expect(parsed.error?.issues).toBeUndefined();
  expect(dashboard?.templating.list).toMatchObject([{ name: "datasource", query: "prometheus" }]);
});

test("panels have ids and titles of their own, lie within the grid, and none lies on another", () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
    expect(x + w).toBeLessThanOrEqual(COLUMNS);
    return Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`);
  });
  expect(new Set(cells).size).toBe(cells.length);
  for (const { targets: list } of graphs)
    expect(new Set(list.map(({ refId }) => refId)).size).toBe(list.length);
});

/** What a query names: metrics, each with its matchers, the labels that it groups by, and those of its legend. */
function namesIn(expr: string, legend: string) {
  const selectors = [...expr.matchAll(/\b([a-z][a-z0-9]*(?:_[a-z0-9]+)+)(?:\{([^}]*)\})?/g)];
  const groups = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = ""]) => list.split(/,\s*/));
  return {
    metrics: selectors.filter(([, name = ""]) => !/^histogram_quantile$/.test(name)),
    labels: [
      ...groups,
      ...[...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = ""]) => label),
      ...selectors.flatMap(([, , matchers = ""]) =>
        [...matchers.matchAll(/(\w+)\s*[=!]~?/g)].map(([, it = ""]) => it),
      ),
    ],
  };
}

test.each(targets)(
  "$title $refId asks by labels that its metrics have, and of each kind what it can tell",
  ({ expr, legendFormat }) => {
    const { metrics, labels } = namesIn(expr.replaceAll(/\bby \([^)]*\)/g, ""), "");
    const groups = namesIn(expr, legendFormat).labels;
    expect(metrics.length).toBeGreaterThan(0);
    for (const [, name = ""] of metrics) {
      const family = name.replace(/_(bucket|count|sum)$/, "") as keyof typeof METRICS;
      const definition: MetricDefinition = METRICS[family];
      const known: readonly string[] = name.endsWith("_bucket")
        ? [...definition.labels, "le"]
        : definition.labels;
      expect([...labels, ...groups].filter((label) => !known.includes(label))).toEqual([]);
      const isRisen = new RegExp(`\\b(?:rate|increase)\\(${name}\\b`).test(expr);
      expect(isRisen, name).toBe(definition.kind !== "gauge");
    }
  },
);

const hasPromtool = spawnSync("promtool", ["--version"], { stdio: "ignore" }).status === 0;

test.skipIf(!hasPromtool)("Prometheus' own parser takes every query", () => {
  const folder = mkdtempSync(join(tmpdir(), "meridian-queries-"));
  try {
    const rules = targets.map(({ expr }, index) => ({
      record: `query:${index}`,
      // What Grafana puts there.
      expr: expr.replaceAll("$__rate_interval", "5m").replaceAll("$__range", "1h"),
    }));
    const file = join(folder, "rules.yml");
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ groups: [{ name: "dashboard", rules }] }));
    const { status, stdout, stderr } = spawnSync("promtool", ["check", "rules", file], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(stdout).toContain(`SUCCESS: ${rules.length} rules found`);
    expect(status).toBe(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
