/**
 * `npm run bench` and its sisters run from end to end and write what they promise: seconds long, so what is judged is that,
 * and no figure. The load is made by wrk; where it is not installed they say so and so does this file.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { hasWrk } from "../../../bench/wrk.mjs";
import { nodeBinary, runScript } from "../../../scripts/tools.mjs";

interface SideFigures {
  readonly rps: { readonly min: number };
  readonly failed: number;
  readonly isValid: boolean;
}

const out = mkdtempSync(join(tmpdir(), "meridian-bench-test-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));

const MINUTES = 60_000;
const PUBLISHED = ["results.json", "results.svg", "results-growth.json", "results-growth.svg"];
const publishedAt = () => PUBLISHED.map((name) => statSync(join("bench", name)).mtimeMs);
const read = (folder: string, name: string) => JSON.parse(readFileSync(join(folder, name), "utf8"));

test.each(["bench/run.mjs", "bench/growth/run.mjs"])("%s without wrk says how to get it", (script) => {
  const { status, stderr } = spawnSync(nodeBinary(), [script], {
    env: { ...process.env, PATH: out },
    encoding: "utf8",
  });
  expect(stderr).toContain("apt-get install wrk");
  expect(status).toBe(2);
});

describe.skipIf(!hasWrk())("with wrk", () => {
  test(
    "a run measures every side in turn, writes results and a plot where it is told, and ends by its budgets",
    async () => {
      const before = publishedAt();
      const folder = join(out, "throughput");
      const { code, output } = await runScript("bench/run.mjs", [
        ...[
          "--only",
          "hot",
          "--rounds",
          "1",
          "--seconds",
          "1",
          "--no-planet",
          "--no-upload",
          "--out",
          folder,
        ],
      ]);
      const results = read(folder, "results.json");
      const [hot] = results.throughput;
      const isClassicThere = results.skipped.length === 0;
      expect(Object.keys(hot.sides)).toEqual(
        ["project", "literal", "classic", "bare"].filter((side) => side !== "classic" || isClassicThere),
      );
      for (const [side, { rps, failed, isValid }] of Object.entries<SideFigures>(hot.sides)) {
        expect(rps.min, side).toBeGreaterThan(0);
        expect([failed, isValid], side).toEqual([0, true]);
      }
      expect(hot.ratios.literal.median).toBeGreaterThan(0);
      expect(readFileSync(join(folder, "results.svg"), "utf8")).toContain("hot authenticated GET");
      expect(output).toContain("| hot authenticated GET |");
      const isBroken = results.budgets.some(({ isKept }: { isKept: boolean | null }) => isKept === false);
      expect(code, output).toBe(isBroken ? 1 : 0);
      expect(publishedAt()).toEqual(before);
    },
    5 * MINUTES,
  );

  test(
    "at a distance each call waits for what it calls, and what was called is counted and priced",
    async () => {
      const folder = join(out, "planet");
      const { code, output } = await runScript("bench/run.mjs", [
        ...["--only", "rpc", "--seconds", "2", "--no-throughput", "--no-upload", "--out", folder],
      ]);
      expect(code, output).toBe(0);
      const [{ sides }] = read(folder, "results.json").planet;
      for (const side of ["project", "literal"]) {
        expect(sides[side]).toMatchObject({ failed: 0, cost: { perRequest: { requests: 1 } } });
        expect(sides[side].count).toBeGreaterThan(50);
      }
      // A wait is never shorter than it was drawn: half of literal's calls wait 20 ms for the object, and 2 for KV.
      expect(sides.literal.p50).toBeGreaterThan(18);
      const { objectCalls, kvReads } = sides.literal.cost.perRequest;
      expect([Math.round(objectCalls), Math.round(kvReads)]).toEqual([1, 1]);
      expect(sides.literal.cost.total).toBeGreaterThan(sides.project.cost.total);
    },
    5 * MINUTES,
  );

  test(
    "growth: a call's rows among more users are those among fewer, counted and written where it is told",
    async () => {
      const folder = join(out, "growth");
      const before = publishedAt();
      const { code, output } = await runScript("bench/growth/run.mjs", [
        ...["--sizes", "1000,3000", "--only", "get,list", "--rounds", "1", "--out", folder],
      ]);
      const { sizes, figures } = read(folder, "results-growth.json");
      expect(sizes.map(({ users }: { users: number }) => users)).toEqual([1000, 3000]);
      expect(figures.map(({ name }: { name: string }) => name)).toEqual(["get", "list"]);
      for (const { name, rowsRead, ms } of figures) {
        expect(rowsRead[1], name).toBe(rowsRead[0]);
        expect(ms[0].median, name).toBeGreaterThan(0);
      }
      expect(readFileSync(join(folder, "results-growth.svg"), "utf8")).toContain("list");
      expect(output).toContain("| get a user |");
      expect(code, output).toBe(figures.every(({ isKept }: { isKept: boolean }) => isKept) ? 0 : 1);
      expect(publishedAt()).toEqual(before);
    },
    5 * MINUTES,
  );

  const profileOf = async (kind: string, args: readonly string[]) => {
    const file = join(out, `workload.${kind}profile`);
    const port = String(20_000 + Math.floor(Math.random() * 10_000));
    const { code, output } = await runScript("bench/profile.mjs", [
      ...args,
      ...["--seconds", "1", "--port", port, "--out", file],
    ]);
    expect(code, output).toBe(0);
    return { output, profile: JSON.parse(readFileSync(file, "utf8")) };
  };

  test(
    "a profile names functions of the source, and is a file for the developer tools",
    async () => {
      const { output, profile } = await profileOf("cpu", ["rpc"]);
      // Which the minified bundle has not.
      expect(output).toMatch(/ (?:answerRpc|requestCall|createLogger|continueTrace|untilSilent) :\d+/);
      expect(output).toContain("% of the time");
      expect(profile.samples.length).toBeGreaterThan(0);
    },
    3 * MINUTES,
  );

  test(
    "a profile of memory tells the bytes that a request makes, by function",
    async () => {
      const { output, profile } = await profileOf("heap", ["hot", "--heap", "--side", "bare"]);
      const [, bytes] = /bytes a request\n.*\n +(\d+) /.exec(output) ?? [];
      expect(Number(bytes)).toBeGreaterThan(100);
      expect(profile.head.children.length).toBeGreaterThan(0);
    },
    3 * MINUTES,
  );
});
