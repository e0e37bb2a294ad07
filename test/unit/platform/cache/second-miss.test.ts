import { expect, test } from "vitest";
import { AppError } from "../../../../src/kernel/errors";
import { newCacheMemory, TwoTierCache } from "../../../../src/platform/cache/two-tier-cache";
import type { ReadFrom } from "../../../../src/platform/database";
import type { Logger } from "../../../../src/platform/observability/logger";
import { settled, TEST_NOW_MS, testScope } from "../../../support/scope";

const OLD = `00000000-00000001-00000000-${"0".repeat(32)}`;
const PRIMARYS = "Ada King";
const NEW = `00000000-00000002-00000000-${"0".repeat(32)}`;

/** One isolate over a KV whose puts are told, and a clock that moves when told. Far from the primary a replica answers. */
function isolate({ isFar = false } = {}) {
  const memory = newCacheMemory<string>({ entriesMax: 10, bytesMax: 10_000 });
  const held = new Map<string, string>();
  const warnings: string[] = [];
  const seen = { loads: 0, later: 0, puts: 0, nowMs: TEST_NOW_MS };
  const failing = { kv: false, primary: false };
  const kv = {
    get: async (key: string) => held.get(key) ?? null,
    put: async (key: string, text: string) => {
      if (failing.kv) throw new Error("KV PUT failed: 500 Internal Server Error");
      seen.puts += 1;
      held.set(key, text);
    },
  };
  const read = async (clientBookmark: string | null = null) => {
    const log: Logger = {
      log: (_, event, fields) => void warnings.push(`"${event}", ${fields?.error}`),
    };
    const scope = { ...testScope(() => seen.nowMs), clientBookmark, log };
    let hasLoaded = false;
    const load = async (from: ReadFrom) => {
      if (hasLoaded) return await loadAgain(from);
      hasLoaded = true;
      seen.loads += 1;
      return { value: isFar ? "Ada" : PRIMARYS, bookmark: clientBookmark ?? OLD, isFromPrimary: !isFar };
    };
    const loadAgain = async (from: ReadFrom) => {
      expect(from).toBe("primary");
      seen.later += 1;
      if (failing.primary) throw new AppError("unavailable", "D1 did not answer in time");
      return { value: PRIMARYS, bookmark: OLD, isFromPrimary: true };
    };
    const cache = new TwoTierCache<string>({ kv, memory, ttlSeconds: 3_600, format: 1, scope });
    const value = await cache.read("user:1", load);
    await settled();
    return { value, from: scope.calls.cache };
  };
  const stored = () => {
    const { value, expiresAtMs } = JSON.parse(held.get("user:1") ?? "{}");
    return { value, secondsLeft: (expiresAtMs - seen.nowMs) / 1_000 };
  };
  return { seen, failing, read, stored, warnings };
}

/** The second miss, 6 s after the first. */
async function missTwice({ seen, read }: Pick<ReturnType<typeof isolate>, "seen" | "read">): Promise<void> {
  await read();
  seen.nowMs += 6_000;
  await read();
}

test("a row that is read once is not put into KV; one that is missed again is, and KV answers from then on", async () => {
  const { seen, read } = isolate();
  const froms: unknown[] = [];
  for (let turn = 0; turn < 4; turn += 1) {
    froms.push([(await read()).from, seen.puts]);
    seen.nowMs += 6_000;
  }
  expect(froms).toEqual([
    ["miss", 0],
    ["miss", 1],
    ["kv", 1],
    ["kv", 1],
  ]);
});

test("what was read two minutes ago is forgotten: the next miss counts as the first", async () => {
  const { seen, read } = isolate();
  await read();
  seen.nowMs += 121_000;
  await read();
  expect(seen).toMatchObject({ loads: 2, puts: 0 });
});

test("an entry of KV that a client's bookmark refuses is replaced at once", async () => {
  const { seen, read } = isolate();
  for (let turn = 0; turn < 2; turn += 1) {
    await read();
    seen.nowMs += 121_000;
  }
  await read();
  seen.nowMs += 6_000;
  await read();
  expect(seen.puts).toBe(1);
  seen.nowMs += 121_000;
  expect(await read(NEW)).toEqual({ value: PRIMARYS, from: "stale-refused" });
  expect(seen.puts).toBe(2);
});

test("far from the primary, who reads each ten seconds waits for D1 twice an hour: what is kept is the primary's row", async () => {
  const { seen, read, stored } = isolate({ isFar: true });
  for (const endMs = seen.nowMs + 3_600_000; seen.nowMs < endMs; seen.nowMs += 10_000) await read();
  expect(seen).toMatchObject({ loads: 2, later: 1, puts: 1 });
  expect(stored().value).toBe(PRIMARYS);
});

test("what the primary answered itself is put without its being asked again", async () => {
  const { seen, read, stored } = isolate();
  await missTwice({ seen, read });
  expect(seen).toMatchObject({ loads: 2, later: 0, puts: 1 });
  expect(stored()).toEqual({ value: PRIMARYS, secondsLeft: 3_600 });
});

test("while the primary does not answer, the replica's row is kept for a minute", async () => {
  const { seen, failing, read, stored, warnings } = isolate({ isFar: true });
  failing.primary = true;
  await missTwice({ seen, read });
  expect(stored()).toEqual({ value: "Ada", secondsLeft: 60 });
  expect(warnings).toEqual([expect.stringMatching(/"cache\.primary_unread",.*D1 did not answer in time/)]);
});

test("while KV takes no writes, the primary is not asked for what cannot be kept", async () => {
  const { seen, failing, read } = isolate({ isFar: true });
  failing.kv = true;
  for (let turn = 0; turn < 10; turn += 1) {
    await read();
    seen.nowMs += 6_000;
  }
  expect(seen).toMatchObject({ loads: 10, later: 3, puts: 0 });
});
