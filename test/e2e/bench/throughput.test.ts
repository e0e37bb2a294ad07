/** How sides are loaded in turn and what is told of it, with a load that answers at once: no server, no clock. */
import { beforeEach, describe, expect, test, vi } from "vitest";
import { tables } from "../../../bench/report.mjs";
import { measureThroughput } from "../../../bench/throughput.mjs";
import { drive } from "../../../bench/wrk.mjs";

vi.mock("../../../bench/wrk.mjs", () => ({ drive: vi.fn() }));

interface Load {
  readonly url: string;
  readonly seconds: number;
  readonly first: number;
}

const WORKLOADS = ["hot", "mix", "patch", "rpc"].map((name) => ({
  name,
  title: `the ${name}`,
  requests: [],
  connections: 32,
  isCold: name === "mix",
}));
const cleared: string[] = [];
const [PROJECT, LITERAL, CLASSIC, BARE] = ["project", "literal", "classic", "bare"].map((name) => ({
  name,
  url: name,
  workloads: new Map(WORKLOADS.map((workload) => [workload.name, workload])),
  processes: () => ({ serving: [], all: [] }),
  clearKv: () => Promise.resolve(cleared.push(name)),
  stop: () => {},
}));
const SIDES = [PROJECT, LITERAL, CLASSIC, BARE];
const TIMING = { rounds: 3, seconds: 2, warmUpSeconds: 5, say: () => {} };

const loads = () => vi.mocked(drive).mock.calls.map(([load]) => load as unknown as Load);
const run = (rps: number, failed = 0) => ({ rps, p50: 1, p99: 2, count: 1000, failed, statuses: {} });
const measure = (...only: string[]) => measureThroughput(SIDES as never, { ...TIMING, only });

beforeEach(() => {
  cleared.length = 0;
  vi.mocked(drive).mockReset();
  vi.mocked(drive).mockResolvedValue(run(100));
});

describe("sides take turns", () => {
  test("each warms up first, uncounted, then all go round after round", async () => {
    const [result] = await measure("patch");
    expect(loads().map(({ url, seconds }) => `${url} ${seconds}`)).toEqual([
      ...["project 5", "literal 5", "classic 5"],
      ...[1, 2, 3].flatMap(() => ["project 2", "literal 2", "classic 2"]),
    ]);
    expect(result?.name).toBe("patch");
  });

  test("what a budget is about goes round three times as often, and bare is asked for the hot read alone", async () => {
    await measure("hot", "mix", "rpc");
    const asked = (url: string) => loads().filter((load) => load.url === url && load.seconds === 2).length;
    // Nine of the hot read, nine of the mix, three of the RPC, which classic has not.
    expect(["project", "literal", "classic", "bare"].map(asked)).toEqual([21, 21, 18, 9]);
  });

  test("a run of a side goes on where its last one ended, and repeats no number", async () => {
    await measure("hot", "patch");
    for (const name of ["project", "literal", "classic", "bare"]) {
      const firsts = loads().flatMap(({ url, first }) => (url === name ? [first] : []));
      expect(firsts.length).toBeGreaterThan(4);
      // A run sends as many as it counted, and those that were under way at its end: one a connection.
      for (const [index, first] of firsts.entries())
        if (index > 0) expect(first).toBe(Number(firsts[index - 1]) + 1000 + 32);
    }
  });

  test("a workload of cold reads finds the caches empty at each run", async () => {
    await measure("mix");
    expect(cleared).toHaveLength(3 * (1 + 9));
    cleared.length = 0;
    await measure("patch");
    expect(cleared).toEqual([]);
  });

  test("without names all workloads are measured", async () => {
    const results = await measureThroughput(SIDES as never, { ...TIMING, only: null });
    expect(results.map(({ name }) => name)).toEqual(["hot", "mix", "patch", "rpc"]);
  });
});

describe("what is told", () => {
  /** Answers of each side, a run each; the first is the warm-up. */
  function answers(bySide: Record<string, readonly ReturnType<typeof run>[]>) {
    const left = new Map(Object.entries(bySide).map(([side, runs]) => [side, [...runs]]));
    vi.mocked(drive).mockImplementation(
      async (load) => left.get((load as unknown as Load).url)?.shift() ?? run(1),
    );
  }

  test("a ratio is that of one round, and its median is told, not the ratio of medians", async () => {
    answers({
      project: [run(9), run(100), run(40), run(90)],
      literal: [run(9), run(50), run(10), run(30)],
      classic: [run(9), run(100), run(80), run(60)],
    });
    const [result] = await measure("patch");
    expect(result?.ratios.literal).toEqual({ median: 3, min: 2, max: 4 });
    expect(result?.ratios.classic).toEqual({ median: 1, min: 0.5, max: 1.5 });
    expect(result?.sides).toHaveProperty("project.rps", { median: 90, min: 40, max: 100 });
  });

  test("a table has a row for each workload, and an empty cell where a side is not asked", async () => {
    const table = tables({ throughput: await measure("patch"), planet: [], budgets: [] });
    expect(table).toContain("\n| the patch | 100 ± 0 % | 100 ± 0 % | 100 ± 0 % |  | 1.00 | 1.00 |  |\n");
  });

  test("one request of a thousand may fail; two make the figure invalid, in words too", async () => {
    answers({
      project: [run(9), run(100, 1), run(100, 1), run(100, 1)],
      literal: [run(9, 500), run(100, 2), run(100, 1), run(100, 1)],
    });
    const said: string[] = [];
    const [result] = await measureThroughput(SIDES as never, {
      ...TIMING,
      only: ["patch"],
      say: (line: string) => said.push(line),
    });
    expect(result?.sides).toMatchObject({
      project: { isValid: true, failed: 3 },
      literal: { isValid: false, failed: 4 },
    });
    expect(said.join()).toContain("4 FAILED");
    expect(said.join()).not.toContain("3 FAILED");
  });
});
