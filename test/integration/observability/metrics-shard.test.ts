import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { addToShard, type MetricsBatch, readShards } from "../../../src/platform/observability/metrics";
import type { MetricsShard } from "../../../src/platform/observability/metrics/metrics-shard";

const SOURCE = "01890000-0000-7000-8000-000000000001";
const OTHER = "01890000-0000-7000-8000-000000000002";

function batch(sequence: number, amount: number, source = SOURCE): MetricsBatch {
  return { source, sequence, deltas: [["calls_total", amount]] };
}

async function sum(): Promise<number | undefined> {
  return (await readShards(env)).get("calls_total");
}

test("a batch that comes again counts once, also after the object was evicted", async () => {
  await addToShard(env, batch(1, 5));
  await addToShard(env, batch(1, 5));
  const stub = env.METRICS.getByName("shard-1");
  await evictDurableObject(stub);
  await addToShard(env, batch(1, 5));
  expect(await sum()).toBe(5);
  await addToShard(env, batch(2, 3));
  expect(await sum()).toBe(8);
});

test("the isolates' counts add up over the shards", async () => {
  await addToShard(env, batch(1, 5));
  await addToShard(env, batch(1, 7, OTHER));
  expect(await sum()).toBe(12);
});

test("sums outlive the object's eviction, and never go back", async () => {
  await addToShard(env, batch(1, 5));
  await evictDurableObject(env.METRICS.getByName("shard-1"));
  expect(await sum()).toBe(5);
  await addToShard(env, {
    source: SOURCE,
    sequence: 2,
    deltas: [
      ["calls_total", -4],
      ["calls_total", Number.NaN],
    ],
  });
  expect(await sum()).toBe(5);
});

test("a shard that does not answer fails the whole read: a partial sum would look like a reset", async () => {
  const broken = new Proxy(env.METRICS, {
    get: (target, property) => {
      if (property !== "getByName") return Reflect.get(target, property, target);
      return (name: string) =>
        name === "shard-2" ? { read: () => Promise.reject(new Error("gone")) } : target.getByName(name);
    },
  });
  await expect(readShards({ METRICS: broken })).rejects.toMatchObject({ code: "unavailable" });
});

test("isolates that are long gone are forgotten, with what they counted kept", async () => {
  const stub = env.METRICS.getByName("shard-1");
  await addToShard(env, batch(1, 5));
  const sources = await runInDurableObject(stub, async (shard: MetricsShard, state) => {
    const later = Date.now() + 2 * 86_400_000;
    shard.clock = () => later;
    await shard.add(batch(1, 2, "01890000-0000-7000-8000-000000000005"));
    return state.storage.sql.exec("select source from sources").toArray();
  });
  expect(sources).toHaveLength(1);
  expect(await sum()).toBe(7);
});
