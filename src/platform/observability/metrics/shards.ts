/** The shards as their callers see them: an isolate adds to one of them, a reader sums them all. */
import { AppError } from "../../../kernel/errors";
import { withDeadline } from "../../deadline";
import type { MetricsBatch } from "./batch";
import type { MetricsShard } from "./metrics-shard";

/**
 * Each takes some hundred batches a second, an isolate sends one in five seconds: enough for thousands of isolates.
 * Never lower it: what the dropped shards hold would be missing from every sum.
 */
export const SHARDS = 4;
const READ_DEADLINE_MS = 5_000;

export interface MetricsBindings {
  readonly METRICS: DurableObjectNamespace<MetricsShard>;
}

/** The same shard for an isolate's whole life, for a batch is recognised by the shard that counted it. */
export async function addToShard({ METRICS }: MetricsBindings, batch: MetricsBatch): Promise<void> {
  await METRICS.getByName(nameOf(shardOf(batch.source))).add(batch);
}

/**
 * The sum of all shards, by series key.
 * **Errors**: `unavailable` when one of them does not answer: a partial sum would look like a counter that went back.
 * **Cost**: one object call a shard, side by side.
 */
export async function readShards({ METRICS }: MetricsBindings): Promise<Map<string, number>> {
  const names = Array.from({ length: SHARDS }, (_, index) => nameOf(index));
  const reading = Promise.all(names.map((name) => METRICS.getByName(name).read()));
  const shards = await withDeadline(reading, READ_DEADLINE_MS, late).catch((cause: unknown) => {
    throw new AppError("unavailable", "a metrics shard did not answer", { cause, retryAfterSeconds: 5 });
  });
  const sums = new Map<string, number>();
  for (const shard of shards) {
    for (const [key, sum] of shard) sums.set(key, (sums.get(key) ?? 0) + sum);
  }
  return sums;
}

function nameOf(shard: number): string {
  return `shard-${shard}`;
}

/** An id's last characters are random. */
function shardOf(source: string): number {
  return Number.parseInt(source.slice(-6), 16) % SHARDS;
}

function late(): AppError {
  return new AppError("unavailable", "a metrics shard did not answer in time");
}
