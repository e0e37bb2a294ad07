import { expect, test } from "vitest";
import type { KvStore } from "../../../../src/platform/cache/kv-tier";
import { newCacheMemory, TwoTierCache } from "../../../../src/platform/cache/two-tier-cache";
import { testScope } from "../../../support/scope";

const EMPTY_KV: KvStore = { get: async () => null, put: async () => undefined };
const STATE = `00000000-00000001-00000000-${"0".repeat(32)}`;

/** One isolate: each request has a cache of its own over one memory. Reads of the database last until `answer`. */
function isolateWith(pause: () => Promise<void>) {
  const memory = newCacheMemory<string>({ entriesMax: 10, bytesMax: 10_000 });
  const { promise: isAnswered, resolve: answer } = Promise.withResolvers<void>();
  const seen = { loads: 0 };
  const load = async () => {
    seen.loads += 1;
    await isAnswered;
    return { value: "Ada", bookmark: STATE, isFromPrimary: true };
  };
  const request = () => {
    const scope = testScope();
    const options = { kv: EMPTY_KV, memory, ttlSeconds: 3_600, format: 1, scope };
    return new TwoTierCache<string>({ ...options, pause }).read("user:1", load);
  };
  return { request, answer, seen };
}

test("of twelve requests that miss at once one reads the database, and all have its value", async () => {
  const { request, answer, seen } = isolateWith(() => new Promise((resolve) => setTimeout(resolve, 0)));
  const answers = Promise.all(Array.from({ length: 12 }, request));
  answer();
  expect(await answers).toEqual(Array(12).fill("Ada"));
  expect(seen.loads).toBe(1);
});

test("a read that never ends holds up the others for a bounded time: then each reads for itself", async () => {
  const { request, answer, seen } = isolateWith(async () => undefined);
  const answers = Promise.all(Array.from({ length: 3 }, request));
  // Only pauses pass, and those at once: the first read is still out when the others lose patience.
  while (seen.loads < 3) await Promise.resolve();
  answer();
  expect(await answers).toEqual(["Ada", "Ada", "Ada"]);
});
