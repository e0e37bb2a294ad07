import { expect, test } from "vitest";
import { judge } from "../../../bench/budgets.mjs";

const ratiosOf = (name: string, ratios: Record<string, number>) => ({
  name,
  ratios: Object.fromEntries(Object.entries(ratios).map(([side, median]) => [side, { median }])),
});
const THROUGHPUT = [
  ratiosOf("hot", { literal: 2.5, classic: 2, bare: 0.5 }),
  ratiosOf("mix", { literal: 2.5, classic: 1 }),
];
const side = (p50: number, p99: number, total = 1) => ({ p50, p99, cost: { total } });
const PLANET = [
  { name: "hot", sides: { project: side(3, 20), literal: side(30, 100) } },
  { name: "sign-up", sides: { project: side(95, 300), literal: side(150, 400) } },
  { name: "mix", sides: { project: side(2, 100, 0.9), literal: side(30, 200, 2.7) } },
];

const UPLOAD = { startBytes: 160_000, startCalls: 1, startupMs: 50 };
const ON_THE_LINE = { throughput: THROUGHPUT, planet: PLANET, upload: UPLOAD };

test("what stands on its line is kept, each of ten", () => {
  expect(judge(ON_THE_LINE).map(({ isKept }) => isKept)).toEqual(Array(10).fill(true));
});

test.each([
  ["hot authenticated GET, of literal", 0, ratiosOf("hot", { literal: 2.49, classic: 2, bare: 0.5 })],
  ["hot authenticated GET, of classic", 0, ratiosOf("hot", { literal: 2.5, classic: 1.99, bare: 0.5 })],
  ["hot authenticated GET, of bare", 0, ratiosOf("hot", { literal: 2.5, classic: 2, bare: 0.49 })],
  ["the mix, of literal", 1, ratiosOf("mix", { literal: 2.49 })],
])("a rate below its goal breaks the budget: %s", (name, at, worse) => {
  const throughput = THROUGHPUT.with(at, worse);
  expect(brokenOf({ ...ON_THE_LINE, throughput })).toEqual([name]);
});

test.each([
  ["planet: hot GET p50, of literal's", 0, side(3.1, 20)],
  ["planet: hot GET p99, of literal's", 0, side(3, 21)],
  ["planet: sign-up p50, hashing aside", 1, side(95.1, 300)],
  ["cost of a million of the mix, of literal's", 2, side(2, 100, 0.91)],
])("what is above its goal breaks the budget: %s", (name, at, project) => {
  const planet = PLANET.map((each, place) =>
    place === at ? { ...each, sides: { ...each.sides, project } } : each,
  );
  expect(brokenOf({ ...ON_THE_LINE, planet })).toEqual([name]);
});

test.each([
  ["start chunk, gzipped", { startBytes: 160_001 }],
  ["start-up", { startupMs: 50.1 }],
])("what takes more than its goal breaks the budget: %s", (name, more) => {
  expect(brokenOf({ ...ON_THE_LINE, upload: { ...UPLOAD, ...more } })).toEqual([name]);
});

test("what was not measured is neither kept nor broken", () => {
  const budgets = judge({ throughput: [ratiosOf("hot", { literal: 3 })], planet: [], upload: undefined });
  expect(budgets.map(({ isKept }) => isKept)).toEqual([true, ...Array(9).fill(null)]);
});

function brokenOf(measured: Record<"throughput" | "planet" | "upload", object>): string[] {
  return judge(measured).flatMap(({ name, isKept }) => (isKept === false ? [name] : []));
}
