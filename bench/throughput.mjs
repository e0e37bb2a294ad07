/**
 * Requests a second of each side, in turn: A B C A B C, so that whatever else slows the machine slows all alike. A ratio
 * is that of one round, and what is reported is the median of the rounds.
 */
import { readFileSync } from "node:fs";
import { median, spreadOf } from "./statistics.mjs";
import { drive } from "./wrk.mjs";

/** Of a thousand requests so many may fail before a figure counts for nothing. */
const FAILED_MAX = 1;
/** Only the hot read has a ceiling. */
const OF_BARE = new Set(["hot"]);
const OF_CLASSIC_NOT = new Set(["rpc"]);

/**
 * @param {readonly import("./sides.mjs").Side[]} sides the project first
 * @param {{rounds: number, seconds: number, warmUpSeconds: number, only: readonly string[] | null, say: (line: string) => void}} options
 */
export async function measureThroughput(sides, { only, say, ...timing }) {
  const results = [];
  for (const workload of sides[0].workloads.values()) {
    if (only !== null && !only.includes(workload.name)) continue;
    const able = sides.filter(({ name }) => isAble(name, workload.name));
    const result = resultOf(workload, await runInTurn(able, workload.name, timing));
    say(lineOf(result));
    results.push(result);
  }
  return results;
}

/** The runs of each side, after one that warms up and does not count. */
async function runInTurn(sides, workload, { rounds, seconds, warmUpSeconds }) {
  const runs = new Map(sides.map(({ name }) => [name, []]));
  for (const side of sides) await once(side, workload, warmUpSeconds);
  for (let round = 0; round < rounds; round += 1) {
    for (const side of sides) runs.get(side.name).push(await once(side, workload, seconds));
  }
  return runs;
}

function isAble(side, workload) {
  if (side === "bare") return OF_BARE.has(workload);
  return side !== "classic" || !OF_CLASSIC_NOT.has(workload);
}

/** So that no run repeats the numbers of another. */
let next = 1;

async function once(side, name, seconds) {
  const { requests, connections, isCold = false } = side.workloads.get(name);
  if (isCold) await side.clearKv?.();
  const cpu = side.cpuMicroseconds ?? (() => cpuMicroseconds(side.pid));
  const before = cpu();
  const run = await drive({ url: side.url, requests, connections, seconds, first: next });
  next += run.count + connections;
  return { ...run, cpuUs: before === null ? null : (cpu() - before) / run.count };
}

/** Of a process, on Linux; null elsewhere. The kernel counts in hundredths of a second. */
function cpuMicroseconds(pid) {
  if (pid === undefined || process.platform !== "linux") return null;
  const [, rest] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
  const fields = rest.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

function resultOf({ name, title }, runs) {
  const sides = {};
  for (const [side, all] of runs) {
    const failed = all.reduce((sum, run) => sum + run.failed, 0);
    const count = all.reduce((sum, run) => sum + run.count, 0);
    sides[side] = {
      rps: spreadOf(all.map(({ rps }) => rps)),
      p50: median(all.map(({ p50 }) => p50)),
      p99: median(all.map(({ p99 }) => p99)),
      cpuUs: all[0].cpuUs === null ? null : median(all.map(({ cpuUs }) => cpuUs)),
      isValid: failed * 1000 <= count * FAILED_MAX,
      failed,
    };
  }
  const project = runs.get("project");
  const ratios = Object.fromEntries(
    [...runs]
      .filter(([side]) => side !== "project")
      .map(([side, all]) => [side, spreadOf(all.map(({ rps }, round) => project[round].rps / rps))]),
  );
  return { name, title, sides, ratios };
}

function lineOf({ title, sides, ratios }) {
  const cells = Object.entries(sides).map(([side, { rps, cpuUs, isValid, failed }]) => {
    const spread = Math.round((100 * (rps.max - rps.min)) / rps.median);
    const cpu = cpuUs === null ? "" : `, ${Math.round(cpuUs)} us`;
    return `${side} ${Math.round(rps.median)}/s +-${spread} %${cpu}${isValid ? "" : ` (${failed} FAILED)`}`;
  });
  const times = Object.entries(ratios).map(([side, ratio]) => `${ratio.median.toFixed(2)} x ${side}`);
  return `${title.padEnd(28)} ${cells.join(" | ")} => ${times.join(", ")}`;
}
