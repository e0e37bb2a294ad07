import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { checkHealth, HealthMemory, type HealthReport, type Probes } from "../../../src/platform/health";
import { createLogger } from "../../../src/platform/observability/logger";

const never = () => new Promise<never>(() => undefined);

beforeEach(() => vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => vi.useRealTimers());

function probes(overrides: Partial<Probes> = {}): Probes {
  const answer = async () => null;
  return {
    oldestDueMs: answer,
    kv: answer,
    limiter: answer,
    version: "v1",
    clock: () => Date.now(),
    log: createLogger("error"),
    ...overrides,
  };
}

test("a dependency that never answers is ill after exactly two seconds, and holds the answer no longer", async () => {
  let report: HealthReport | undefined;
  void checkHealth(probes({ kv: never, limiter: never })).then((it) => {
    report = it;
  });
  await vi.advanceTimersByTimeAsync(1_999);
  expect(report).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1);
  expect(report?.checks).toEqual([
    { name: "d1", isHealthy: true, latencyMs: 0 },
    { name: "kv", isHealthy: false, latencyMs: 2_000 },
    { name: "limiter", isHealthy: false, latencyMs: 2_000 },
    { name: "outbox", isHealthy: true, latencyMs: 0 },
  ]);
});

test("what answers in time leaves no timer behind", async () => {
  await checkHealth(probes());
  expect(vi.getTimerCount()).toBe(0);
});

test("a hundred who ask within a second cost one probe, and the next second costs another", async () => {
  const memory = new HealthMemory();
  const check = vi.fn(async (): Promise<HealthReport> => ({ version: "v1", status: "ok", checks: [] }));
  for (let asked = 0; asked < 100; asked += 1) await memory.recall(() => Date.now(), check);
  expect(check).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1_000);
  for (let asked = 0; asked < 100; asked += 1) await memory.recall(() => Date.now(), check);
  expect(check).toHaveBeenCalledTimes(2);
});

test("while one probes, the others are told what held before; after ten seconds they look for themselves", async () => {
  const memory = new HealthMemory();
  const clock = () => Date.now();
  const ok: HealthReport = { version: "v1", status: "ok", checks: [] };
  await memory.recall(clock, async () => ok);
  vi.advanceTimersByTime(1_500);
  const check = vi.fn(never);
  void memory.recall(clock, check);
  expect(await memory.recall(clock, check)).toBe(ok);
  expect(check).toHaveBeenCalledTimes(1);
  // Who asked last is taken for dead when its time is up.
  vi.advanceTimersByTime(2_000);
  void memory.recall(clock, check);
  expect(check).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(6_600);
  void memory.recall(clock, check);
  vi.advanceTimersByTime(100);
  void memory.recall(clock, check);
  expect(check).toHaveBeenCalledTimes(4);
});
