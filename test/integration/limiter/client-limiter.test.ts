import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { ClientLimiter } from "../../../src/platform/limiter/client-limiter";
import type { Ask, Quota } from "../../../src/platform/limiter/lease-rule";
import { REVOKED_SESSIONS_MAX } from "../../../src/platform/limiter/revocations";

const MINUTE = 60_000;
const QUOTA: Quota = { limit: 100, windowMs: 15 * MINUTE, leaseMax: null };
const NOW = 1_700_000_040_000;

const ask = (id: string, more: Partial<Ask> = {}): Ask => ({
  id,
  isolate: "a",
  waiting: 1,
  want: 1,
  returns: [],
  ...more,
});

function objectAt(name: string) {
  return env.CLIENT_LIMITER.getByName(name);
}

async function setClock(stub: DurableObjectStub<ClientLimiter>, now: number): Promise<void> {
  await runInDurableObject(stub, (object: ClientLimiter) => {
    object.clock = () => now;
  });
}

async function storedKeys(stub: DurableObjectStub<ClientLimiter>): Promise<string[]> {
  return await runInDurableObject(stub, (_, state) => [...state.storage.kv.list()].map(([key]) => key));
}

test("an evicted object forgets no admission, no lease and no revocation", async () => {
  const stub = objectAt("user:1");
  await stub.ask(ask("1", { waiting: 60, want: 60 }), QUOTA);
  await stub.ask(ask("2", { waiting: 1, want: 9 }), QUOTA);
  await stub.revoke({ sessionIds: [{ id: "s", expiresAt: Date.now() + MINUTE }], minEpoch: 4 });
  await evictDurableObject(stub);
  const answer = await objectAt("user:1").ask(ask("3", { returns: [{ id: "2", unspent: 8 }] }), QUOTA);
  expect(answer).toMatchObject({ granted: 1, remaining: 100 - 60 - 1 - 1 });
  expect(answer.revocations).toMatchObject({ minEpoch: 4, sessions: [{ id: "s" }] });
  expect((await objectAt("user:1").ask(ask("1", { waiting: 60 }), QUOTA)).granted).toBe(60);
});

test("a clock set back after an eviction frees nothing", async () => {
  const stub = objectAt("user:1");
  await setClock(stub, NOW);
  await stub.ask(ask("1", { waiting: 100, want: 100 }), QUOTA);
  await evictDurableObject(stub);
  await setClock(stub, NOW - 60 * MINUTE);
  expect(await stub.ask(ask("2"), QUOTA)).toMatchObject({ granted: 0, releaseMs: 16 * MINUTE });
});

test("a grant is one write, a refusal none", async () => {
  const stub = objectAt("user:1");
  const writes = await runInDurableObject(stub, async (object: ClientLimiter, state) => {
    const { kv } = state.storage;
    const put = kv.put.bind(kv);
    let count = 0;
    kv.put = (key, value) => {
      count += 1;
      put(key, value);
    };
    const counts: number[] = [];
    for (const one of [ask("1", { want: 5 }), ask("2", { waiting: 99 }), ask("3"), ask("4")]) {
      await object.ask(one, QUOTA);
      counts.push(count);
    }
    return counts;
  });
  expect(writes).toEqual([1, 2, 2, 2]);
});

test("the alarm deletes an idle client whole, and one that is not idle stays", async () => {
  const stub = objectAt("user:1");
  await setClock(stub, NOW);
  await stub.ask(ask("1"), QUOTA);
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  expect(await storedKeys(stub)).toContain("state");
  await setClock(stub, NOW + 17 * MINUTE);
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  expect(await storedKeys(stub)).toEqual([]);
  expect(await runDurableObjectAlarm(stub)).toBe(false);
  expect((await stub.ask(ask("2", { waiting: 100 }), QUOTA)).granted).toBe(100);
  expect(await storedKeys(stub)).toEqual(["state"]);
});

test("neither the alarm nor a reset lets a revoked session in before its last token has expired", async () => {
  const stub = objectAt("user:1");
  await setClock(stub, NOW);
  await stub.ask(ask("1"), QUOTA);
  await stub.revoke({ sessionIds: [{ id: "s", expiresAt: NOW + 60 * MINUTE }] });
  await stub.reset();
  await setClock(stub, NOW + 59 * MINUTE);
  await runDurableObjectAlarm(stub);
  await evictDurableObject(stub);
  await setClock(stub, NOW + 59 * MINUTE);
  expect((await stub.ask(ask("2"), QUOTA)).revocations.sessions).toHaveLength(1);
  await setClock(stub, NOW + 80 * MINUTE);
  await runDurableObjectAlarm(stub);
  expect(await storedKeys(stub)).toEqual([]);
});

test("an epoch stays for good, whatever alarm and reset do", async () => {
  const stub = objectAt("user:1");
  await setClock(stub, NOW);
  await stub.ask(ask("1"), QUOTA);
  await stub.revoke({ minEpoch: 2 });
  await stub.reset();
  await setClock(stub, NOW + 1_000_000 * MINUTE);
  await runDurableObjectAlarm(stub);
  await evictDurableObject(stub);
  expect((await stub.ask(ask("2"), QUOTA)).revocations.minEpoch).toBe(2);
});

test("more revoked sessions than ride on a grant are refused, not dropped", async () => {
  const stub = objectAt("user:1");
  const sessionIds = Array.from({ length: REVOKED_SESSIONS_MAX }, (_, index) => ({
    id: `s${index}`,
    expiresAt: Date.now() + MINUTE,
  }));
  expect(await stub.revoke({ sessionIds })).toBe(true);
  expect(await stub.revoke({ sessionIds: [{ id: "more", expiresAt: Date.now() + MINUTE }] })).toBe(false);
  expect((await stub.ask(ask("1"), QUOTA)).revocations.sessions).toHaveLength(REVOKED_SESSIONS_MAX);
});

test("a reset frees the budget, and returns of leases from before it credit nothing", async () => {
  const stub = objectAt("user:1");
  await stub.ask(ask("1", { waiting: 90, want: 100 }), QUOTA);
  await stub.reset();
  const answer = await stub.ask(ask("2", { waiting: 0, want: 0, returns: [{ id: "1", unspent: 5 }] }), QUOTA);
  expect(answer.remaining).toBe(100);
});

test("an override's numbers hold in place of the policy's until it is taken away", async () => {
  const stub = objectAt("user:1");
  await stub.setOverride({ limit: 3, windowMs: MINUTE, isShadow: false });
  await evictDurableObject(stub);
  const answer = await stub.ask(ask("1", { waiting: 9, want: 9 }), QUOTA);
  expect(answer).toMatchObject({ granted: 3, quota: { limit: 3, windowMs: MINUTE } });
  expect(await stub.report()).toMatchObject({ window: { spent: 3 }, override: { limit: 3 } });
  await stub.setOverride(null);
  expect((await stub.ask(ask("2"), QUOTA)).quota.limit).toBe(100);
});
