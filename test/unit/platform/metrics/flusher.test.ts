import { expect, test } from "vitest";
import type { MetricCatalogue } from "../../../../src/platform/observability/metrics";
import {
  FLUSH_AFTER_MS,
  type FlushContext,
  type MetricsBatch,
  MetricsFlusher,
  MetricsRecorder,
} from "../../../../src/platform/observability/metrics";

const CATALOGUE = {
  calls_total: { kind: "counter", help: "Calls.", labels: [] },
  dropped_total: { kind: "counter", help: "Dropped.", labels: [] },
} as const satisfies MetricCatalogue;

/** An isolate whose time moves by its sleeps alone, and a shard that may refuse or lose its answer. */
class Isolate {
  now = 1_000_000;
  readonly received: MetricsBatch[] = [];
  readonly delivered: number[] = [];
  readonly recorder = new MetricsRecorder(CATALOGUE, "dropped_total");
  readonly flusher = new MetricsFlusher(this.recorder, (error) => {
    this.failures += 1;
    expect(error).toBeInstanceOf(Error);
  });
  failures = 0;
  behaviour: "takes" | "refuses" | "takes, answer lost" = "takes";
  background: Promise<unknown>[] = [];
  readonly timers: (() => void)[] = [];
  isTimerHeld = false;

  readonly context: FlushContext = {
    add: async (batch) => {
      if (this.behaviour === "refuses") throw new Error("refused");
      this.received.push(structuredClone(batch));
      if (this.behaviour === "takes, answer lost") throw new Error("lost");
    },
    onDelivered: (deltas) => void this.delivered.push(deltas.length),
    clock: () => this.now,
    newId: () => "01890000-0000-7000-8000-00000000abcd",
    sleep: async (ms) => {
      if (this.isTimerHeld) await new Promise<void>((resolve) => this.timers.push(resolve));
      this.now += ms;
    },
    waitUntil: (work) => void this.background.push(work),
  };

  request(): void {
    this.recorder.count("calls_total", {});
    this.flusher.flushSoon(this.context);
  }

  async settle(): Promise<void> {
    for (const resolve of this.timers.splice(0)) resolve();
    await Promise.all(this.background.splice(0));
  }

  /** What a shard that counts a number once makes of all it received. */
  get counted(): number {
    const bySequence = new Map(this.received.map(({ sequence, deltas }) => [sequence, deltas]));
    return [...bySequence.values()].flat().reduce((sum, [, amount]) => sum + amount, 0);
  }
}

test("requests within five seconds share one flush, which takes them all", async () => {
  const isolate = new Isolate();
  isolate.isTimerHeld = true;
  for (let index = 0; index < 500; index += 1) isolate.request();
  expect(isolate.background).toHaveLength(1);
  await isolate.settle();
  expect(isolate.received).toHaveLength(1);
  expect(isolate.counted).toBe(500);
  expect(isolate.delivered).toEqual([1]);
});

test("a request after a flush starts the next timer", async () => {
  const isolate = new Isolate();
  isolate.request();
  await isolate.settle();
  isolate.request();
  await isolate.settle();
  expect(isolate.received.map(({ sequence }) => sequence)).toEqual([1, 2]);
});

test("nothing is sent while there is nothing to say", async () => {
  const isolate = new Isolate();
  isolate.flusher.flushSoon(isolate.context);
  expect(isolate.background).toHaveLength(0);
  expect(await isolate.flusher.flush(isolate.context)).toBe(true);
  expect(isolate.received).toHaveLength(0);
});

test("what a shard refused goes out again, the same under the same number", async () => {
  const isolate = new Isolate();
  isolate.behaviour = "refuses";
  isolate.request();
  await isolate.settle();
  expect(isolate.failures).toBeGreaterThan(1);
  isolate.behaviour = "takes";
  isolate.request();
  await isolate.settle();
  expect(isolate.received.map(({ sequence }) => sequence)).toEqual([1, 2]);
  expect(isolate.counted).toBe(2);
});

test("a batch whose answer was lost is repeated unchanged, so that it counts once", async () => {
  const isolate = new Isolate();
  isolate.behaviour = "takes, answer lost";
  isolate.request();
  await isolate.settle();
  isolate.request();
  isolate.behaviour = "takes";
  await isolate.settle();
  const [first, ...rest] = isolate.received.filter(({ sequence }) => sequence === 1);
  expect(rest.length).toBeGreaterThan(0);
  for (const repeated of rest) expect(repeated).toEqual(first);
  expect(isolate.counted).toBe(2);
});

test("a timer that died with its request is replaced by the next request's", async () => {
  const isolate = new Isolate();
  isolate.isTimerHeld = true;
  isolate.request();
  isolate.background = [];
  isolate.timers.length = 0;
  isolate.now += FLUSH_AFTER_MS + 2_000;
  isolate.request();
  expect(isolate.background).toHaveLength(1);
  await isolate.settle();
  expect(isolate.counted).toBe(2);
});

test("two that flush at once send one batch", async () => {
  const isolate = new Isolate();
  isolate.recorder.count("calls_total", {});
  const outcomes = await Promise.all([
    isolate.flusher.flush(isolate.context),
    isolate.flusher.flush(isolate.context),
  ]);
  expect(isolate.received).toHaveLength(1);
  expect(outcomes).toContain(true);
});
