/** What a call's rows and times among fewer and more users come to, and whether that is what is promised. */
import { spreadOf } from "../statistics.mjs";

/**
 * Broken when it reads more rows among more users, or takes too long: by the CPU's time where that is known.
 *
 * @param {Pick<import("./calls.mjs").Call, "name" | "title" | "isRead" | "ratioMax">} call
 * @param {readonly {read: {min: number, max: number}, written: {min: number, max: number}}[]} rows by size, fewest first
 * @param {readonly {ms: readonly number[], cpuUs: readonly number[] | null}[]} times as `rows`, round by round
 */
export function figureOf({ name, title, isRead, ratioMax }, rows, times) {
  const textOf = ({ min, max }) => (min === max ? String(min) : `${min}-${max}`);
  const ratioOf = (first, last) => spreadOf(first.map((value, round) => last[round] / value));
  const [first, last] = [times[0], times.at(-1)];
  const ratios = {
    time: ratioOf(first.ms, last.ms),
    cpu: first.cpuUs === null ? null : ratioOf(first.cpuUs, last.cpuUs),
  };
  const hasSameRows = rows.every(({ read }) => read.max <= rows[0].read.max);
  return {
    ...{ name, title, isRead, ratioMax, ratios },
    rowsRead: rows.map(({ read }) => textOf(read)),
    rowsWritten: rows.map(({ written }) => textOf(written)),
    ms: times.map(({ ms }) => spreadOf(ms)),
    cpuUs: times.map(({ cpuUs }) => (cpuUs === null ? null : spreadOf(cpuUs))),
    isKept: hasSameRows && (ratioMax === null || (ratios.cpu ?? ratios.time).median <= ratioMax),
  };
}
