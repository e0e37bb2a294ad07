import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { Database } from "../../../src/platform/database";
import { checkHealth } from "../../../src/platform/health";
import { newCalls } from "../../../src/platform/observability/calls";
import { sendCounted } from "../../support/counted-app";

async function readiness(overrides: Partial<Env> = {}) {
  const { response } = await sendCounted(new Request("https://meridian.example/readyz"), overrides);
  return { status: response.status, report: (await response.json()) as { status: string; checks: object[] } };
}

function failing<T extends object>(): T {
  const refuse = () => {
    throw new Error("gone");
  };
  return new Proxy({} as T, { get: () => refuse });
}

/** Takes every call and never answers. */
function silent<T extends object>(): T {
  return new Proxy({} as T, { get: () => () => new Promise(() => undefined) });
}

test("every dependency is named with its latency", async () => {
  const { status, report } = await readiness();
  expect(status).toBe(200);
  expect(report.status).toBe("ok");
  for (const name of ["d1", "kv"]) {
    expect(report.checks).toContainEqual({ name, isHealthy: true, latencyMs: expect.any(Number) });
  }
});

test("without KV it is degraded and still ready, and says that it is KV", async () => {
  const { status, report } = await readiness({ USER_CACHE: failing() });
  expect(status).toBe(200);
  expect(report).toMatchObject({
    status: "degraded",
    checks: [
      { name: "d1", isHealthy: true },
      { name: "kv", isHealthy: false },
    ],
  });
});

test("without D1 it is down, and says that it is D1", async () => {
  const DB = new Proxy(env.DB, {
    get: (target, property) => (property === "withSession" ? failing : Reflect.get(target, property, target)),
  });
  const { status, report } = await readiness({ DB });
  expect(status).toBe(503);
  expect(report.status).toBe("down");
  expect(report.checks).toContainEqual(expect.objectContaining({ name: "d1", isHealthy: false }));
});

test("however often it is asked, D1 is asked once a second", async () => {
  const calls = newCalls();
  let nowMs = 1_000_000;
  const on = { database: new Database(env.DB, calls), kv: failing<KVNamespace>(), clock: () => nowMs };
  for (let asked = 0; asked < 20; asked += 1) expect((await checkHealth(on)).status).toBe("degraded");
  expect(calls.d1RoundTrips).toBe(1);
  nowMs += 1_000;
  await checkHealth(on);
  expect(calls.d1RoundTrips).toBe(2);
});

test("a dependency that never answers is ill after two seconds, and does not hold the answer longer", async () => {
  const { status, report } = await readiness({ USER_CACHE: silent() });
  expect(status).toBe(200);
  const kv = report.checks[1] as { isHealthy: boolean; latencyMs: number };
  expect(kv.isHealthy).toBe(false);
  expect(kv.latencyMs).toBeGreaterThanOrEqual(1_900);
  expect(kv.latencyMs).toBeLessThan(20_000);
});
