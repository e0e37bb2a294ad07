/** CPU time of processes, on Linux. */
import { existsSync, readdirSync, readFileSync } from "node:fs";

/**
 * What each process has computed so far, in the kernel's hundredths of a second.
 *
 * @param {readonly number[]} pids
 * @returns {ReadonlyMap<number, number> | null} by pid; null on another system
 */
export function readCpuTicks(pids) {
  return process.platform === "linux" ? new Map(pids.map((pid) => [pid, ticksOf(pid)])) : null;
}

/**
 * Microseconds between two readings. A process that began meanwhile counts, one that has ended does not: a server of
 * PostgreSQL lives as long as its connection.
 *
 * @param {ReadonlyMap<number, number> | null} before
 * @param {ReadonlyMap<number, number> | null} after
 * @returns {number | null}
 */
export function microsecondsBetween(before, after) {
  if (before === null || after === null) return null;
  return [...after].reduce((sum, [pid, ticks]) => sum + ticks - (before.get(pid) ?? 0), 0) * 10_000;
}

function ticksOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command's name is in brackets and may hold anything.
    const fields = stat.slice(stat.lastIndexOf(") ") + 2).split(" ");
    return Number(fields[11]) + Number(fields[12]);
  } catch {
    return 0;
  }
}

/** The same to the nanosecond, of the threads that still run: for calls one after the other, of which a second sees few. */
export function preciseCpuMicroseconds(pids) {
  if (!pids.every((pid) => existsSync(`/proc/${pid}/task/${pid}/schedstat`))) return null;
  return pids
    .flatMap((pid) => readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}/schedstat`))
    .map((path) => Number(readFileSync(path, "utf8").split(" ")[0]) / 1000)
    .reduce((sum, each) => sum + each, 0);
}
