import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { createAccount } from "../../support/accounts";
import { sendCounted } from "../../support/counted-app";

async function readiness(overrides: Partial<Env> = {}) {
  const { response } = await sendCounted(new Request("https://meridian.example/readyz"), overrides);
  return {
    status: response.status,
    report: (await response.json()) as { version: string; status: string; checks: object[] },
  };
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
  expect(report.checks).toEqual(
    ["d1", "kv", "limiter", "outbox"].map((name) => ({
      name,
      isHealthy: true,
      latencyMs: expect.any(Number),
    })),
  );
});

test("the version that answers is named, so that a rollout knows which one it has tested", async () => {
  const VERSION = { id: "6c1ffbc0-6d1d-4a9e-8e6b-0f7e5a1d2c3b", tag: "", timestamp: "" };
  expect((await readiness({ VERSION })).report.version).toBe(VERSION.id);
});

test("without KV it is degraded and still ready, and says that it is KV", async () => {
  const { status, report } = await readiness({ USER_CACHE: failing() });
  expect(status).toBe(200);
  expect(report).toMatchObject({
    status: "degraded",
    checks: [
      { name: "d1", isHealthy: true },
      { name: "kv", isHealthy: false },
      { name: "limiter", isHealthy: true },
      { name: "outbox", isHealthy: true },
    ],
  });
});

test("without the limiter's objects it is degraded, and says that it is they", async () => {
  const { status, report } = await readiness({ CLIENT_LIMITER: failing() });
  expect(status).toBe(200);
  expect(report.status).toBe("degraded");
  expect(report.checks[2]).toMatchObject({ name: "limiter", isHealthy: false });
});

test("what was due to be sent five minutes ago and was not makes it degraded; what is a little late does not", async () => {
  await createAccount();
  // The event's own way to the queue dates its deliveries anew, after the answer.
  const isOnItsWay = async () => {
    const row = await env.DB.prepare("select sent_at from event_deliveries where sent_at > 0").first();
    expect(row).not.toBeNull();
  };
  await vi.waitFor(isOnItsWay, { timeout: 20_000 });
  const makeDue = async (agoMs: number) =>
    await env.DB.prepare("update event_deliveries set state = 'pending', due_at = ?")
      .bind(Date.now() - agoMs)
      .run();
  await makeDue(120_000);
  expect((await readiness()).report.status).toBe("ok");
  await makeDue(301_000);
  const { status, report } = await readiness();
  expect([status, report.status]).toEqual([200, "degraded"]);
  expect(report.checks[3]).toMatchObject({ name: "outbox", isHealthy: false });
});

test("without D1 it is down, and says that it is D1", async () => {
  const DB = new Proxy(env.DB, {
    get: (target, property) => (property === "withSession" ? failing : Reflect.get(target, property, target)),
  });
  const { status, report } = await readiness({ DB });
  expect(status).toBe(503);
  expect(report.status).toBe("down");
  expect(report.checks).toContainEqual(expect.objectContaining({ name: "d1", isHealthy: false }));
  expect(report.checks).toContainEqual(expect.objectContaining({ name: "kv", isHealthy: true }));
});

test("a dependency that never answers is ill, and does not hold the answer", async () => {
  const { status, report } = await readiness({ USER_CACHE: silent() });
  expect(status).toBe(200);
  const kv = report.checks[1] as { isHealthy: boolean; latencyMs: number };
  expect(kv.isHealthy).toBe(false);
  expect(kv.latencyMs).toBeGreaterThanOrEqual(1_900);
});
