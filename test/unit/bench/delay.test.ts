import { afterEach, expect, test, vi } from "vitest";
import { quantile } from "../../../bench/statistics.mjs";
import { delaysOf } from "../../../bench/workerd/stand-ins/delay.js";

const MODEL = { primary: { p50: 80, p99: 250 }, kv: { p50: 2, p99: 10 } };

afterEach(() => vi.restoreAllMocks());

/** Milliseconds that so many calls of a binding would have waited. */
async function waitsOf(name: keyof typeof MODEL, seed: number, count = 20_000): Promise<number[]> {
  const wait = vi.spyOn(scheduler, "wait").mockResolvedValue(undefined);
  const delay = delaysOf(MODEL, seed);
  for (let call = 0; call < count; call += 1) await delay(name);
  return wait.mock.calls.splice(0).map(([ms]) => Number(ms));
}

test.each(["primary", "kv"] as const)(
  "the delays of %s have the median and the tail that the model says",
  async (name) => {
    const waits = await waitsOf(name, 1);
    expect(quantile(waits, 0.5) / MODEL[name].p50).toBeCloseTo(1, 1);
    expect(quantile(waits, 0.99) / MODEL[name].p99).toBeCloseTo(1, 1);
  },
);

test("a seed is one sequence, and another is another", async () => {
  const first = await waitsOf("kv", 1, 50);
  expect(await waitsOf("kv", 1, 50)).toEqual(first);
  expect(await waitsOf("kv", 2, 50)).not.toEqual(first);
});

test("without a model nothing waits", async () => {
  const wait = vi.spyOn(scheduler, "wait");
  await delaysOf(null)("primary");
  expect(wait).not.toHaveBeenCalled();
});
