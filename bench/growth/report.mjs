/** What came of it: a table for people, JSON for programs, and a plot. */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { linePlot } from "../plot.mjs";

const RESULTS = new URL("../results-growth.json", import.meta.url);
const PLOT = new URL("../results-growth.svg", import.meta.url);
/** More lines would hide one another. */
const PLOTTED = ["get", "list", "list-next", "graphql", "sign-up", "order"];

export function writeResults({ settings, sizes, figures }) {
  const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? "unknown", node: process.version };
  const results = { takenAt: new Date().toISOString(), machine, settings, sizes, figures };
  writeFileSync(RESULTS, `${JSON.stringify(results, rounded, 2)}\n`);
  writeFileSync(PLOT, plotOf({ sizes, figures }));
}

/** Three digits are more than such a measurement is good for. */
function rounded(_name, value) {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}

function plotOf({ sizes, figures }) {
  return linePlot({
    title: "Time of a call as the users grow",
    xLabel: "users",
    yLabel:
      "milliseconds: the median of the rounds, with the least and the greatest; one call after the other, past every cache",
    lines: figures
      .filter(({ name }) => PLOTTED.includes(name))
      .map(({ name, ms }) => ({
        name,
        points: ms.map((time, index) => ({ x: sizes[index].users, ...time })),
      })),
  });
}

/** As Markdown, so that it can be pasted into docs/growth.md. */
export function tableOf({ sizes, figures }) {
  const among = sizes.map(({ users }) => `among ${users.toLocaleString("en")}`);
  const columns = (what) => among.map((size, index) => (index === 0 ? `${what} ${size}` : size));
  const head = ["call", ...columns("rows read"), ...columns("ms"), "time", "CPU"];
  const rows = figures.map(({ title, rowsRead, ms, ratios }) => [
    title,
    ...rowsRead,
    ...ms.map(({ median }) => median.toFixed(2)),
    `${ratios.time.median.toFixed(2)} x`,
    ratios.cpu === null ? "-" : `${ratios.cpu.median.toFixed(2)} x`,
  ]);
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
