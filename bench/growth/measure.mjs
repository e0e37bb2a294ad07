/** Rows and time of a call. Rows are counted by the stand-in of D1, so by SQLite itself; time by wrk, one request after the other. */
import { setTimeout as sleep } from "node:timers/promises";
import { preciseCpuMicroseconds } from "../cpu.mjs";
import { drive } from "../wrk.mjs";

const COUNTED_CALLS = 10;
const STEADY_STEP_MS = 20;
const STEADY_STEPS_MAX = 200;
/** No two sign-ups have one address. */
let next = 1;

/**
 * The rows that a call reads and writes, with all that follows its answer; equal for each of its requests, or a range.
 *
 * @param {{url: string, counts: () => Promise<Record<string, number>>}} server
 * @param {import("./calls.mjs").Call} call
 * @returns {Promise<{read: {min: number, max: number}, written: {min: number, max: number}}>}
 */
export async function rowsOf(server, { requests }) {
  const reads = [];
  const writes = [];
  const step = Math.max(1, Math.floor(requests.length / COUNTED_CALLS));
  await send(server, requests[0]);
  for (let count = 0; count < COUNTED_CALLS; count += 1) {
    const before = await steadyCounts(server);
    await send(server, requests[(count * step) % requests.length]);
    const after = await steadyCounts(server);
    reads.push(after.d1RowsRead - before.d1RowsRead);
    writes.push(after.d1RowsWritten - before.d1RowsWritten);
  }
  return { read: rangeOf(reads), written: rangeOf(writes) };
}

const rangeOf = (values) => ({ min: Math.min(...values), max: Math.max(...values) });

async function send({ url }, { method, path, headers, body }) {
  next += 1;
  const answer = await fetch(url + path, { method, headers, body: body?.replace("%d", `-counted-${next}`) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
}

/** Once nothing is under way any more: what follows an answer reads too. */
async function steadyCounts(server) {
  let last = await server.counts();
  for (let step = 0; step < STEADY_STEPS_MAX; step += 1) {
    await sleep(STEADY_STEP_MS);
    const now = await server.counts();
    if (now.d1Queries === last.d1Queries) return now;
    last = now;
  }
  return last;
}

/**
 * Milliseconds of a call at each size, and the microseconds of CPU that it takes, the database's included, which say more on a machine that does other
 * things too. In turn, so that whatever else slows the machine slows all alike.
 *
 * @param {readonly {server: {url: string, processes: () => {all: readonly number[]}}, calls: ReadonlyMap<string, import("./calls.mjs").Call>}[]} worlds
 * @param {string} name of the call
 * @param {{rounds: number, seconds: number}} timing
 * @returns {Promise<readonly {ms: readonly number[], cpuUs: readonly number[] | null}[]>} by world, round by round
 */
export async function timesOf(worlds, name, { rounds, seconds }) {
  const runs = worlds.map(() => []);
  for (const world of worlds) await once(world, name, 1);
  for (let round = 0; round < rounds; round += 1) {
    // Each comes first as often as the others.
    for (let turn = 0; turn < worlds.length; turn += 1) {
      const index = (round + turn) % worlds.length;
      runs[index].push(await once(worlds[index], name, seconds));
    }
  }
  return runs.map((all) => ({
    ms: all.map(({ ms }) => ms),
    cpuUs: all.some(({ cpuUs }) => cpuUs === null) ? null : all.map(({ cpuUs }) => cpuUs),
  }));
}

async function once({ server, calls }, name, seconds) {
  const { requests } = calls.get(name);
  const { all } = server.processes();
  const before = preciseCpuMicroseconds(all);
  const run = await drive({ url: server.url, requests, connections: 1, seconds, first: next });
  if (run.failed > 0) throw new Error(`${run.failed} of ${run.count} calls of ${name} failed`);
  next += run.count + 1;
  return { ms: run.p50, cpuUs: before === null ? null : (preciseCpuMicroseconds(all) - before) / run.count };
}
