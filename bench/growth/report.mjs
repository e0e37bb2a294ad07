/** What came of it: a table for people, JSON for programs, and a plot. */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { linePlot } from "../plot.mjs";

/** More lines would hide one another. */
const PLOTTED = ["get", "list", "list-next", "graphql", "sign-up", "order"];

/** `results-growth.json` and `results-growth.svg`, into a folder that is made when there is none. */
export function writeResults(folder, { settings, sizes, figures }) {
  const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? "unknown", node: process.version };
  const results = { takenAt: new Date().toISOString(), machine, settings, sizes, figures };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "results-growth.json"), `${JSON.stringify(results, rounded, 2)}\n`);
  writeFileSync(join(folder, "results-growth.svg"), plotOf({ sizes, figures }));
}

/** Three digits are more than such a measurement is good for. */
function rounded(_name, value) {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}

function plotOf({ sizes, figures }) {
  const hasCpu = figures.every(isCpuKnown);
  return linePlot({
    title: `${hasCpu ? "CPU" : "Time"} of a call as the users grow`,
    xLabel: "users",
    yLabel: "milliseconds: the median of the rounds, with the least and the greatest; past every cache",
    lines: figures
      .filter(({ name }) => PLOTTED.includes(name))
      .map((figure) => ({
        name: figure.name,
        points: timesOf(figure).map((time, index) => ({ x: sizes[index].users, ...time })),
      })),
  });
}

/** Milliseconds: of CPU where that is known, for other work on the machine is not in it. */
function timesOf({ ms, cpuUs, ratios }) {
  if (!isCpuKnown({ ratios })) return ms;
  return cpuUs.map(({ median, min, max }) => ({ median: median / 1000, min: min / 1000, max: max / 1000 }));
}

function isCpuKnown({ ratios }) {
  return ratios.cpu !== null;
}

/** As Markdown, so that it can be pasted into docs/growth.md. */
export function tableOf({ sizes, figures }) {
  const among = sizes.map(({ users }) => `among ${users.toLocaleString("en")}`);
  const columns = (what) => among.map((size, index) => (index === 0 ? `${what} ${size}` : size));
  const hasCpu = figures.every(isCpuKnown);
  const head = ["call", ...columns("rows read"), ...columns(hasCpu ? "CPU, ms" : "ms"), "CPU", "time"];
  const rows = figures.map((figure) => [
    figure.title,
    ...figure.rowsRead,
    ...timesOf(figure).map(({ median }) => median.toFixed(2)),
    figure.ratios.cpu === null ? "-" : `${figure.ratios.cpu.median.toFixed(2)} x`,
    `${figure.ratios.time.median.toFixed(2)} x`,
  ]);
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
