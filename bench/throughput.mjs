/**
 * Requests a second of each side, in turn: A B C A B C, so that whatever else slows the machine slows all alike. A ratio
 * is that of one round, and what is reported is the median of the rounds.
 */
import { microsecondsBetween, readCpuTicks } from "./cpu.mjs";
import { median, spreadOf } from "./statistics.mjs";
import { drive } from "./wrk.mjs";

/** Of a thousand requests so many may fail before a figure counts for nothing. */
const FAILED_MAX = 1;
/** Only the hot read has a ceiling. */
const OF_BARE = new Set(["hot"]);
const OF_CLASSIC_NOT = new Set(["rpc"]);
/** What a budget is about is measured so much more often: a machine that others use too is slow for seconds on end. */
const JUDGED = new Set(["hot", "mix"]);
const JUDGED_FACTOR = 3;

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
  const count = JUDGED.has(workload) ? JUDGED_FACTOR * rounds : rounds;
  for (let round = 0; round < count; round += 1) {
    for (const side of sides) runs.get(side.name).push(await once(side, workload, seconds));
  }
  return runs;
}

function isAble(side, workload) {
  if (side === "bare") return OF_BARE.has(workload);
  return side !== "classic" || !OF_CLASSIC_NOT.has(workload);
}

/** The number of the next request, by side: no run repeats one of another, or begins a list anew that is not through. */
const next = new Map();

async function once(side, name, seconds) {
  const { requests, connections, isCold = false } = side.workloads.get(name);
  if (isCold) await side.clearKv?.();
  const before = cpuOfProcesses(side);
  const first = next.get(side.name) ?? 1;
  const run = await drive({ url: side.url, requests, connections, seconds, first });
  next.set(side.name, first + run.count + connections);
  const after = cpuOfProcesses(side);
  const ofRequest = (which) => {
    const spent = microsecondsBetween(before[which], after[which]);
    return spent === null ? null : spent / run.count;
  };
  return { ...run, cpuUs: ofRequest("serving"), cpuAllUs: ofRequest("all") };
}

function cpuOfProcesses(side) {
  const { serving, all } = side.processes();
  return { serving: readCpuTicks(serving), all: readCpuTicks(all) };
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
      cpuUs: medianOf(all.map(({ cpuUs }) => cpuUs)),
      cpuAllUs: medianOf(all.map(({ cpuAllUs }) => cpuAllUs)),
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

/** Null where it is not known. */
function medianOf(values) {
  return values.includes(null) ? null : median(values);
}

function lineOf({ title, sides, ratios }) {
  const cells = Object.entries(sides).map(([side, { rps, isValid, failed, ...cpu }]) => {
    const spread = Math.round((100 * (rps.max - rps.min)) / rps.median);
    return `${side} ${Math.round(rps.median)}/s +-${spread} %${cpuOf(cpu)}${isValid ? "" : ` (${failed} FAILED)`}`;
  });
  const times = Object.entries(ratios).map(([side, ratio]) => `${ratio.median.toFixed(2)} x ${side}`);
  return `${title.padEnd(28)} ${cells.join(" | ")} => ${times.join(", ")}`;
}

/** Of who serves, and where its stores compute as well: of all. */
function cpuOf({ cpuUs, cpuAllUs }) {
  if (cpuUs === null) return "";
  const [own, all] = [Math.round(cpuUs), Math.round(cpuAllUs)];
  return own === all ? `, ${own} us` : `, ${own} of ${all} us`;
}
