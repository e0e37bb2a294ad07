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
  readonly isValid: boolean;
}

const TIMEOUT_MS = 5 * 60_000;
const PUBLISHED = ["results.json", "results.svg", "results-growth.json", "results-growth.svg"];

const work = mkdtempSync(join(tmpdir(), "meridian-bench-test-"));
const publishedAt = PUBLISHED.map(changedAt);
afterAll(() => rmSync(work, { recursive: true, force: true }));

function changedAt(name: string): number {
  return statSync(join("bench", name)).mtimeMs;
}

async function run(script: string, flags: string, name: string) {
  const folder = join(work, name);
  const { code, output } = await runScript(script, [...flags.split(" "), "--out", folder]);
  return { code, output, read: (file: string) => readFileSync(join(folder, file), "utf8") };
}

/** Of budgets and of calls whose growth is bounded. */
function endOf(judged: readonly { isKept: boolean | null }[]): number {
  return judged.some(({ isKept }) => isKept === false) ? 1 : 0;
}

test.each(["bench/run.mjs", "bench/growth/run.mjs"])("%s without wrk says how to get it", (script) => {
  const env = { ...process.env, PATH: work };
  const { status, stderr } = spawnSync(nodeBinary(), [script], { env, encoding: "utf8" });
  expect(stderr).toContain("apt-get install wrk");
  expect(status).toBe(2);
});

test("what is published is of a whole run: every workload, all rounds, a minute of what budgets are about", () => {
  const { settings, throughput, planet } = JSON.parse(readFileSync("bench/results.json", "utf8"));
  expect(settings).toMatchObject({ only: null, rounds: 3, seconds: 3, planetBudgetedSeconds: 60 });
  expect([throughput.length, planet.length]).toEqual([11, 11]);
});

describe.skipIf(!hasWrk())("with wrk", { timeout: TIMEOUT_MS }, () => {
  test("every side is measured, figures and a plot lie where they were asked for, and the end tells of the budgets", async () => {
    const flags = "--only hot --rounds 1 --seconds 1 --no-planet --no-upload";
    const { code, output, read } = await run("bench/run.mjs", flags, "throughput");
    const { throughput, skipped, budgets } = JSON.parse(read("results.json"));
    const [hot] = throughput;
    const sides = ["project", "literal", "classic", "bare"];
    expect(Object.keys(hot.sides)).toEqual(
      sides.filter((side) => side !== "classic" || skipped.length === 0),
    );
    for (const [side, { rps, isValid }] of Object.entries<SideFigures>(hot.sides)) {
      expect(rps.min, side).toBeGreaterThan(0);
      expect(isValid, side).toBe(true);
    }
    expect(hot.ratios.literal.median).toBeGreaterThan(0);
    expect(read("results.svg")).toContain("hot authenticated GET");
    expect(output).toContain("| hot authenticated GET |");
    expect(code, output).toBe(endOf(budgets));
  });

  test("at a distance each call waits for what it calls, and what was called is counted and priced", async () => {
    const flags = "--only rpc --seconds 2 --no-throughput --no-upload";
    const { code, output, read } = await run("bench/run.mjs", flags, "planet");
    expect(code, output).toBe(0);
    const [{ sides }] = JSON.parse(read("results.json")).planet;
    for (const side of ["project", "literal"]) {
      expect(sides[side]).toMatchObject({ failed: 0, cost: { perRequest: { requests: 1 } } });
      expect(sides[side].count).toBeGreaterThan(50);
    }
    // A wait is never shorter than it was drawn: half of literal's calls wait 20 ms for the object, and 2 for KV.
    expect(sides.literal.p50).toBeGreaterThan(18);
    const { objectCalls, kvReads } = sides.literal.cost.perRequest;
    expect([Math.round(objectCalls), Math.round(kvReads)]).toEqual([1, 1]);
    expect(sides.literal.cost.total).toBeGreaterThan(sides.project.cost.total);
  });

  test("growth: a call's rows among more users are those among fewer, and the end tells of it", async () => {
    const flags = "--sizes 1000,3000 --only get,list --rounds 1";
    const { code, output, read } = await run("bench/growth/run.mjs", flags, "growth");
    const { sizes, figures } = JSON.parse(read("results-growth.json"));
    expect(sizes.map(({ users }: { users: number }) => users)).toEqual([1000, 3000]);
    expect(figures.map(({ name }: { name: string }) => name)).toEqual(["get", "list"]);
    for (const { name, rowsRead, ms } of figures) {
      expect(rowsRead[1], name).toBe(rowsRead[0]);
      expect(ms[0].median, name).toBeGreaterThan(0);
    }
    expect(read("results-growth.svg")).toContain("list");
    expect(output).toContain("| get a user |");
    expect(code, output).toBe(endOf(figures));
  });

  test("none of them touched what is published", () => {
    expect(PUBLISHED.map(changedAt)).toEqual(publishedAt);
  });

  describe("a profile", () => {
    async function profileOf(kind: string, args: readonly string[]) {
      const file = join(work, `workload.${kind}profile`);
      const port = String(20_000 + Math.floor(Math.random() * 10_000));
      const flags = ["--seconds", "1", "--port", port, "--out", file];
      const { code, output } = await runScript("bench/profile.mjs", [...args, ...flags]);
      expect(code, output).toBe(0);
      return { output, profile: JSON.parse(readFileSync(file, "utf8")) };
    }

    test("names functions of the source, and is a file for the developer tools", async () => {
      const { output, profile } = await profileOf("cpu", ["rpc"]);
      // Which the minified bundle has not.
      expect(output).toMatch(/ (?:answerRpc|requestCall|createLogger|continueTrace|untilSilent) :\d+/);
      expect(output).toContain("% of the time");
      expect(profile.samples.length).toBeGreaterThan(0);
    });

    test("of memory tells the bytes that a request makes, by function", async () => {
      const { output, profile } = await profileOf("heap", ["hot", "--heap", "--side", "bare"]);
      const [, bytes] = /bytes a request\n.*\n +(\d+) /.exec(output) ?? [];
      expect(Number(bytes)).toBeGreaterThan(100);
      expect(profile.head.children.length).toBeGreaterThan(0);
    });
  });
});
