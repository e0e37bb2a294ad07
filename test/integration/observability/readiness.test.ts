import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
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

test("a dependency that never answers is ill after two seconds, and does not hold the answer longer", async () => {
  const { status, report } = await readiness({ USER_CACHE: silent() });
  expect(status).toBe(200);
  const kv = report.checks[1] as { isHealthy: boolean; latencyMs: number };
  expect(kv.isHealthy).toBe(false);
  expect(kv.latencyMs).toBeGreaterThanOrEqual(1_900);
  expect(kv.latencyMs).toBeLessThan(20_000);
});
