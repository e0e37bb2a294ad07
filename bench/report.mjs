/** The results as tables for people, as JSON for programs, and as plots. */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { barPlot } from "./plot.mjs";

/** `results.json`, and of the throughput `results.svg`, into a folder that is made when there is none. */
export function writeResults(folder, { settings, throughput, planet, upload, budgets, skipped }) {
  const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? "unknown", node: process.version };
  const results = {
    takenAt: new Date().toISOString(),
    machine,
    settings,
    skipped,
    budgets,
    throughput,
    planet,
    upload,
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "results.json"), `${JSON.stringify(results, rounded, 2)}\n`);
  if (throughput.length > 0) writeFileSync(join(folder, "results.svg"), plotOf(throughput));
}

/** Three digits are more than such a measurement is good for. */
function rounded(_name, value) {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}

function plotOf(throughput) {
  return barPlot({
    title: "Requests a second",
    unit: "median of the rounds, with the least and the greatest",
    groups: throughput.map(({ title, sides }) => ({
      label: title,
      bars: Object.entries(sides).map(([series, { rps }]) => ({ series, ...rps })),
    })),
  });
}

/** As Markdown, so that it can be pasted into docs/performance.md. */
export function tables({ throughput, planet, budgets }) {
  return [
    "## Requests a second",
    table(
      ["workload", "project", "literal", "classic", "bare", "of literal", "of classic", "of bare"],
      throughput.map(({ title, sides, ratios }) => [
        title,
        ...["project", "literal", "classic", "bare"].map((side) => rate(sides[side])),
        ...["literal", "classic", "bare"].map((side) => times(ratios[side])),
      ]),
    ),
    "## The planet, milliseconds",
    table(
      ["workload", "project p50", "p99", "literal p50", "p99", "p50 of literal's", "p99 of literal's"],
      planet.map(({ title, sides: { project, literal } }) => [
        title,
        ...[project, literal].flatMap(({ p50, p99 }) => [p50.toFixed(1), p99.toFixed(1)]),
        (project.p50 / literal.p50).toFixed(2),
        (project.p99 / literal.p99).toFixed(2),
      ]),
    ),
    "## The cost of a million requests of the mix, dollars",
    ...costTable(planet),
    "## Budgets",
    table(
      ["budget", "goal", "measured", "kept"],
      budgets.map(({ name, goal, measured, isKept }) => [
        name,
        goal,
        measured,
        isKept === null ? "-" : isKept ? "yes" : "NO",
      ]),
    ),
  ].join("\n\n");
}

function costTable(planet) {
  const mix = planet.find(({ name }) => name === "mix");
  if (mix === undefined) return [];
  const { project, literal } = mix.sides;
  const rows = Object.keys(project.cost.dollars).map((name) => [
    name,
    ...[project, literal].flatMap(({ cost }) => [
      cost.perRequest[name].toFixed(3),
      cost.dollars[name].toFixed(3),
    ]),
  ]);
  rows.push(["total", "", project.cost.total.toFixed(3), "", literal.cost.total.toFixed(3)]);
  return [table(["", "project, a request", "$", "literal, a request", "$"], rows)];
}

function rate(side) {
  if (side === undefined) return "";
  const { median, min, max } = side.rps;
  const spread = Math.round((50 * (max - min)) / median);
  return `${side.isValid ? "" : "FAILED "}${median >= 10 ? Math.round(median) : median.toFixed(1)} ± ${spread} %`;
}

function times(ratio) {
  return ratio === undefined ? "" : ratio.median.toFixed(2);
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
