import { expect, test } from "vitest";
import { newCacheMemory, TwoTierCache } from "../../../../src/platform/cache/two-tier-cache";
import { settled, TEST_NOW_MS, testScope } from "../../../support/scope";

const OLD = `00000000-00000001-00000000-${"0".repeat(32)}`;
const NEW = `00000000-00000002-00000000-${"0".repeat(32)}`;

/** One isolate over a KV whose puts are told, and a clock that moves when told. */
function isolate() {
  const memory = newCacheMemory<string>({ entriesMax: 10, bytesMax: 10_000 });
  const held = new Map<string, string>();
  const seen = { loads: 0, puts: 0, nowMs: TEST_NOW_MS };
  const kv = {
    get: async (key: string) => held.get(key) ?? null,
    put: async (key: string, text: string) => {
      seen.puts += 1;
      held.set(key, text);
    },
  };
  const read = async (clientBookmark: string | null = null) => {
    const scope = { ...testScope(() => seen.nowMs), clientBookmark };
    const value = await new TwoTierCache<string>({ kv, memory, ttlSeconds: 3_600, format: 1, scope }).read(
      "user:1",
      async () => {
        seen.loads += 1;
        return { value: "Ada", bookmark: clientBookmark ?? OLD, isFromPrimary: true };
      },
    );
    await settled();
    return { value, from: scope.calls.cache };
  };
  return { seen, read };
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
  expect(await read(NEW)).toEqual({ value: "Ada", from: "stale-refused" });
  expect(seen.puts).toBe(2);
});
