import { expect, test } from "vitest";
import { AppError } from "../../../src/kernel/errors";
import { FAIL_OPEN_ALLOWANCE } from "../../../src/platform/limiter/budget-answer";
import type { LimiterObject } from "../../../src/platform/limiter/limiter";
import { DEFAULT_POLICY, newIsolate, realObject } from "../../support/limiter";

const policy = DEFAULT_POLICY;
const clientKey = "user:1";
const START = 1_700_000_040_000;

function clockFrom(start: number) {
  const clock = { now: start };
  return { clock, read: () => clock.now };
}

test("of a thousand requests at once exactly the limit is admitted, with two asks", async () => {
  const { limiter, calls } = newIsolate();
  const all = await Promise.all(Array.from({ length: 1_000 }, () => limiter.admit({ clientKey, policy })));
  expect(all.filter(({ outcome }) => outcome === "admitted")).toHaveLength(100);
  expect(all.filter(({ outcome }) => outcome === "refused")).toHaveLength(900);
  expect(calls.objectCalls).toBe(2);
});

test("of a thousand requests at once over eight isolates exactly the limit is admitted", async () => {
  const isolates = Array.from({ length: 8 }, () => newIsolate());
  const all = await Promise.all(
    Array.from({ length: 1_000 }, (_, index) => isolates[index % 8]?.limiter.admit({ clientKey, policy })),
  );
  expect(all.filter((admission) => admission?.outcome === "admitted")).toHaveLength(100);
});

test("the first answer says 99 of 100 are left", async () => {
  const { limiter } = newIsolate();
  expect(await limiter.admit({ clientKey, policy })).toMatchObject({
    outcome: "admitted",
    limit: 100,
    windowSeconds: 900,
    remaining: 99,
    resetSeconds: 900,
    retryAfterSeconds: 0,
    violatedPolicy: null,
  });
});

test("remaining counts down by one with each request, from memory and from the object alike", async () => {
  const { limiter } = newIsolate();
  for (let left = 99; left >= 0; left -= 1) {
    expect((await limiter.admit({ clientKey, policy })).remaining).toBe(left);
  }
  const refused = await limiter.admit({ clientKey, policy });
  expect(refused).toMatchObject({ outcome: "refused", remaining: 0, violatedPolicy: "default" });
  expect(refused.retryAfterSeconds).toBeGreaterThan(900 - 1);
  expect(refused.retryAfterSeconds).toBeLessThanOrEqual(960);
  expect(refused.resetSeconds).toBe(refused.retryAfterSeconds);
});

test("a refused client that keeps calling reaches the object at most once a minute", async () => {
  const { clock, read } = clockFrom(Date.now());
  const { limiter, calls } = newIsolate({ clock: read });
  const burst = Array.from({ length: 200 }, () => limiter.admit({ clientKey, policy }));
  await Promise.all(burst);
  calls.objectCalls = 0;
  for (let second = 0; second < 600; second += 1) {
    clock.now += 1_000;
    expect((await limiter.admit({ clientKey, policy })).outcome).toBe("refused");
  }
  expect(calls.objectCalls).toBeLessThanOrEqual(10);
  expect(calls.objectCalls).toBeGreaterThan(0);
});

test("an occasional client strands nothing: what it leases it spends", async () => {
  const { clock, read } = clockFrom(START);
  const { limiter, book } = newIsolate({ clock: read });
  for (let visit = 0; visit < 5; visit += 1) {
    await limiter.admit({ clientKey, policy });
    expect(book.peek(clientKey)?.lease).toBeNull();
    clock.now += 3 * 60_000;
  }
});

test("what a lease leaves unspent is back in the budget with the next ask", async () => {
  const { clock, read } = clockFrom(Date.now());
  const { limiter } = newIsolate({ clock: read });
  for (let spent = 0; spent < 5; spent += 1) await limiter.admit({ clientKey, policy });
  const before = await limiter.admit({ clientKey, policy });
  clock.now += 61_000;
  const after = await limiter.admit({ clientKey, policy });
  expect(after.remaining).toBe(before.remaining - 1);
});

test("a client that is pushed out of the isolate's memory gives its lease back", async () => {
  const waits: Promise<unknown>[] = [];
  const { LeaseBook } = await import("../../../src/platform/limiter/lease-book");
  const { limiter } = newIsolate({
    book: new LeaseBook("small", 1),
    afterResponse: (task) => waits.push(task()),
  });
  for (let spent = 0; spent < 4; spent += 1) await limiter.admit({ clientKey, policy });
  await limiter.admit({ clientKey: "user:2", policy });
  await Promise.all(waits);
  const seen = await newIsolate().limiter.admit({ clientKey, policy });
  expect(seen.remaining).toBe(100 - 5);
});

test("in shadow mode everyone is admitted, and who would be refused is named", async () => {
  const { limiter } = newIsolate();
  const shadow = { ...policy, limit: 3, isShadow: true };
  const seen = [];
  for (let count = 0; count < 5; count += 1) seen.push(await limiter.admit({ clientKey, policy: shadow }));
  expect(seen.map(({ outcome }) => outcome)).toEqual(new Array(5).fill("admitted"));
  expect(seen.map(({ violatedPolicy }) => violatedPolicy)).toEqual([null, null, null, "default", "default"]);
});

test("a revocation holds at once where it was made, even when an answer without it was on its way", async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let decided: () => void = () => undefined;
  const isDecided = new Promise<void>((resolve) => {
    decided = resolve;
  });
  const slow = (name: string): LimiterObject => ({
    ask: async (ask, quota) => {
      const grant = await realObject(name).ask(ask, quota);
      decided();
      await held;
      return grant;
    },
    revoke: (added) => realObject(name).revoke(added),
  });
  const { limiter } = newIsolate({ objectOf: slow });
  const waiting = limiter.admit({ clientKey, policy });
  await isDecided;
  await limiter.revoke(clientKey, { sessionIds: [{ id: "s", expiresAt: Date.now() + 60_000 }], minEpoch: 2 });
  release();
  const { revocations } = await waiting;
  expect(revocations?.isSessionRevoked("s")).toBe(true);
  expect(revocations?.isSessionRevoked("t")).toBe(false);
  expect(revocations?.minEpoch).toBe(2);
});

test("a revocation pushes no other client out of the isolate's memory", async () => {
  const { LeaseBook } = await import("../../../src/platform/limiter/lease-book");
  const { limiter, book } = newIsolate({ book: new LeaseBook("small", 1) });
  for (let spent = 0; spent < 4; spent += 1) await limiter.admit({ clientKey: "user:2", policy });
  const held = book.peek("user:2")?.lease;
  expect(held?.unspent).toBeGreaterThan(0);
  await limiter.revoke(clientKey, { minEpoch: 2 });
  expect(book.peek("user:2")?.lease).toBe(held);
  expect((await limiter.admit({ clientKey, policy })).revocations?.minEpoch).toBe(2);
});

test("a revocation reaches every other isolate in under 60 seconds, however it spends its lease", async () => {
  const { clock, read } = clockFrom(Date.now());
  const isolates = Array.from({ length: 5 }, () => newIsolate({ clock: read }));
  for (const { limiter } of isolates) {
    for (let spent = 0; spent < 4; spent += 1) await limiter.admit({ clientKey, policy });
  }
  const revokedAt = clock.now;
  await newIsolate({ clock: read }).limiter.revoke(clientKey, {
    sessionIds: [{ id: "s", expiresAt: revokedAt + 900_000 }],
  });
  let lastAccepted = revokedAt;
  for (let second = 0; second < 120; second += 1) {
    clock.now += 1_000;
    for (const { limiter } of isolates) {
      const { outcome, revocations } = await limiter.admit({ clientKey, policy });
      if (outcome === "admitted" && !revocations?.isSessionRevoked("s")) lastAccepted = clock.now;
    }
  }
  expect(lastAccepted - revokedAt).toBeLessThan(60_000);
});

const failing = (error: () => Error): ((name: string) => LimiterObject) => {
  const fail = async (): Promise<never> => {
    throw error();
  };
  return () => ({ ask: fail, revoke: fail });
};

test("when the object fails, a small allowance is admitted, with nothing known of revocations, and then nobody", async () => {
  const { limiter } = newIsolate({ objectOf: failing(() => new Error("broken")) });
  for (let admitted = 0; admitted < FAIL_OPEN_ALLOWANCE; admitted += 1) {
    expect(await limiter.admit({ clientKey, policy })).toMatchObject({
      outcome: "fail-open",
      revocations: null,
    });
  }
  await expect(limiter.admit({ clientKey, policy })).rejects.toMatchObject({ code: "unavailable" });
});

test("a revocation that the object did not take is an error, never a success", async () => {
  const { limiter } = newIsolate({ objectOf: failing(() => new Error("broken")) });
  await expect(limiter.revoke(clientKey, { minEpoch: 2 })).rejects.toThrow(AppError);
});

test("an error that passes is asked through a second time, and charged once", async () => {
  let attempts = 0;
  const flaky = (name: string): LimiterObject => ({
    ask: async (ask, quota) => {
      const grant = await realObject(name).ask(ask, quota);
      attempts += 1;
      if (attempts === 1) throw Object.assign(new Error("lost"), { retryable: true });
      return grant;
    },
    revoke: (added) => realObject(name).revoke(added),
  });
  const { limiter } = newIsolate({ objectOf: flaky });
  expect(await limiter.admit({ clientKey, policy })).toMatchObject({ outcome: "admitted", remaining: 99 });
});

test("under sustained load over eight isolates at most one request in ten reaches the object, and the budget holds", async () => {
  const large = { ...policy, limit: 10_000 };
  const isolates = Array.from({ length: 8 }, () => newIsolate());
  let admitted = 0;
  let requests = 0;
  await Promise.all(
    isolates.map(async ({ limiter }) => {
      for (let count = 0; count < 1_500; count += 1) {
        requests += 1;
        if ((await limiter.admit({ clientKey, policy: large })).outcome === "admitted") admitted += 1;
      }
    }),
  );
  const asks = isolates.reduce((sum, { calls }) => sum + calls.objectCalls, 0);
  expect(requests).toBe(12_000);
  expect(asks).toBeLessThanOrEqual(requests / 10);
  expect(admitted).toBeLessThanOrEqual(10_000);
  // The isolates share until little is left: what one holds and another lacks is at most their last leases.
  expect(admitted).toBeGreaterThan(9_900);
});

test("an epoch outlives every token that it can hit, and then locks nobody out", async () => {
  const { clock, read } = clockFrom(Date.now());
  const { limiter } = newIsolate({ clock: read });
  await limiter.revoke(clientKey, { minEpoch: 2 });
  const { env } = await import("cloudflare:workers");
  const { runDurableObjectAlarm, runInDurableObject } = await import("cloudflare:test");
  const { ClientLimiter } = await import("../../../src/platform/limiter/client-limiter");
  const stub = env.CLIENT_LIMITER.getByName(clientKey);
  const minEpochAfter = async (ms: number) => {
    await runInDurableObject(stub, (object) => {
      if (object instanceof ClientLimiter) object.clock = () => clock.now + ms;
    });
    await runDurableObjectAlarm(stub);
    return (
      await stub.ask(
        { id: String(ms), isolate: "a", waiting: 1, want: 1, returns: [] },
        { limit: 9, windowMs: 900_000, leaseMax: 1 },
      )
    ).revocations.minEpoch;
  };
  expect(await minEpochAfter(86_400_000)).toBe(2);
  expect(await minEpochAfter(86_400_000 + 121_000)).toBe(0);
});
