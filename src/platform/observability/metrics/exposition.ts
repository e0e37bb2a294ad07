/**
 * Sums and readings as text for a scraper: Prometheus 0.0.4, and OpenMetrics when it asks for that.
 * Source: prometheus.io/docs/instrumenting/exposition_formats; OpenMetrics 1.0.0.
 */
import type { HistogramDefinition, MetricCatalogue, MetricDefinition, Reading } from "./definition";
import { decodeSeriesKey, encodeSeriesKey } from "./series-key";

export type ExpositionFormat = "text" | "openmetrics";

export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** What the scraper takes: OpenMetrics only when it names it. */
export function formatFor(accept: string | undefined): ExpositionFormat {
  const isNamed = (accept ?? "")
    .split(",")
    .some(
      (range) =>
        /^\s*application\/openmetrics-text\b/i.test(range) && !/;\s*q=0(?:\.0*)?\s*(?:;|$)/i.test(range),
    );
  return isNamed ? "openmetrics" : "text";
}

interface Series {
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** A counter's or gauge's value. */
  value: number;
  /** A histogram's, by `le`, not cumulative. */
  readonly buckets: Map<string, number>;
}

/**
 * The exposition. Metrics stand in the catalogue's order; every one has its head, also without a series. What is stored
 * under names or labels that the catalogue does not know (any more) is left out.
 */
export function expose(
  catalogue: MetricCatalogue,
  sums: ReadonlyMap<string, number>,
  readings: readonly Reading[],
  format: ExpositionFormat,
): string {
  const series = collect(catalogue, sums, readings);
  const lines: string[] = [];
  for (const [name, definition] of Object.entries(catalogue)) {
    lines.push(...head(name, definition, format));
    // A lone series is shown from the start, so that its first increment is seen as one.
    if (definition.labels.length === 0 && definition.kind === "counter")
      seriesOf(series, name, definition, []);
    const sorted = [...(series.get(name)?.entries() ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [, each] of sorted) lines.push(...samples(name, definition, each));
  }
  if (format === "openmetrics") lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}

function collect(
  catalogue: MetricCatalogue,
  sums: ReadonlyMap<string, number>,
  readings: readonly Reading[],
): Map<string, Map<string, Series>> {
  const byName = new Map<string, Map<string, Series>>();
  for (const [key, sum] of sums) {
    const { name, labelValues } = decodeSeriesKey(key);
    const definition = catalogue[name];
    const partCount = definition?.kind === "histogram" ? 1 : 0;
    if (definition === undefined || labelValues.length !== definition.labels.length + partCount) continue;
    const series = seriesOf(byName, name, definition, labelValues.slice(0, definition.labels.length));
    const part = partCount === 0 ? "sum" : labelValues.at(-1);
    if (part === "sum") series.value = sum;
    else if (part?.startsWith("le ")) series.buckets.set(part.slice(3), sum);
  }
  for (const { name, labels, value } of readings) {
    const definition = catalogue[name];
    if (definition?.kind !== "gauge") continue;
    const values = definition.labels.map((label) => labels[label] ?? "");
    seriesOf(byName, name, definition, values).value = value;
  }
  return byName;
}

function seriesOf(
  byName: Map<string, Map<string, Series>>,
  name: string,
  definition: MetricDefinition,
  values: readonly string[],
): Series {
  const ofName = byName.get(name) ?? new Map<string, Series>();
  byName.set(name, ofName);
  const key = encodeSeriesKey("", values);
  const labels = definition.labels.map((label, index) => [label, values[index] ?? ""] as const);
  const series = ofName.get(key) ?? { labels, value: 0, buckets: new Map() };
  ofName.set(key, series);
  return series;
}

function head(name: string, { help, kind, unit }: MetricDefinition, format: ExpositionFormat): string[] {
  // In OpenMetrics a counter's family goes without the suffix that its sample has.
  const family = format === "openmetrics" && kind === "counter" ? name.replace(/_total$/, "") : name;
  return [
    `# HELP ${family} ${escapeHelp(help)}`,
    `# TYPE ${family} ${kind}`,
    ...(format === "openmetrics" && unit !== undefined ? [`# UNIT ${family} ${unit}`] : []),
  ];
}

function samples(name: string, definition: MetricDefinition, series: Series): string[] {
  if (definition.kind !== "histogram") return [`${name}${labelSet(series.labels)} ${series.value}`];
  return histogramSamples(name, definition, series);
}

function histogramSamples(name: string, { buckets }: HistogramDefinition, series: Series): string[] {
  const lines: string[] = [];
  let cumulative = 0;
  for (const bound of [...buckets.map(String), "+Inf"]) {
    cumulative += series.buckets.get(bound) ?? 0;
    lines.push(`${name}_bucket${labelSet([...series.labels, ["le", canonical(bound)]])} ${cumulative}`);
  }
  lines.push(`${name}_sum${labelSet(series.labels)} ${series.value}`);
  lines.push(`${name}_count${labelSet(series.labels)} ${cumulative}`);
  return lines;
}

/** OpenMetrics wants a bound to look like a real number. */
function canonical(bound: string): string {
  return /^\d+$/.test(bound) ? `${bound}.0` : bound;
}

function labelSet(labels: readonly (readonly [name: string, value: string])[]): string {
  if (labels.length === 0) return "";
  return `{${labels.map(([name, value]) => `${name}="${escapeLabel(value)}"`).join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function escapeHelp(help: string): string {
  return help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
