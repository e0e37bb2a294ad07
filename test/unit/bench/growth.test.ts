import { expect, test } from "vitest";
import { figureOf } from "../../../bench/growth/figures.mjs";

const LIST = { name: "list", title: "a list", isRead: true, ratioMax: 1.3 };
const reads = (...counts: readonly number[]) =>
  counts.map((count) => ({ read: { min: count, max: count }, written: { min: 0, max: 0 } }));
/** Three rounds among few and among many users. */
const times = (ms: readonly number[], cpuUs: readonly number[] | null) => [
  { ms: [1, 1, 1], cpuUs: cpuUs === null ? null : [100, 100, 100] },
  { ms, cpuUs },
];

test.each([
  ["as many rows, and 1.3 times the CPU", reads(42, 42), times([9, 9, 9], [130, 130, 130]), true],
  ["fewer rows", reads(42, 40), times([1, 1, 1], [100, 100, 100]), true],
  ["a row more", reads(42, 43), times([1, 1, 1], [100, 100, 100]), false],
  ["more CPU in two rounds of three", reads(42, 42), times([1, 1, 1], [131, 131, 100]), false],
  ["more CPU in one round of three", reads(42, 42), times([1, 1, 1], [900, 100, 100]), true],
  ["more time, where no CPU is known", reads(42, 42), times([1.31, 1.31, 1.31], null), false],
])("%s", (_, rows, measured, isKept) => {
  expect(figureOf(LIST, rows, measured).isKept).toBe(isKept);
});

test("a call whose time is not bounded is kept by its rows alone, and what is told is by size", () => {
  const write = { ...LIST, ratioMax: null };
  const figure = figureOf(write, reads(42, 42), times([2, 3, 4], [900, 900, 900]));
  expect(figure).toMatchObject({ isKept: true, rowsRead: ["42", "42"] });
  expect(figure.ms).toEqual([
    { median: 1, min: 1, max: 1 },
    { median: 3, min: 2, max: 4 },
  ]);
  expect(figureOf(write, reads(42, 44), times([1, 1, 1], null)).isKept).toBe(false);
});
