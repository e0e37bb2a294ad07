/**
 * Whom a foreign subject is here is remembered in isolates and KV; that nothing was revoked since is not. Each test
 * lets a subject be known, takes something away, and comes with tokens to isolates that remember the old.
 */

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { verifyPresented } from "../../src/gateway/presented-token";
import type { Actor } from "../../src/kernel/actor";
import { callBy } from "../../src/platform/call";
import { configOf } from "../../src/platform/env";
import { EPOCH_KEPT_MS } from "../../src/platform/limiter/limiter";
import { IDENTITY_FRESH_MS, IDENTITY_LIFE_MS } from "../../src/services/auth/identity-cache";
import { wire } from "../../src/wiring";
import { authDependencies } from "../support/auth-dependencies";
import { sendCounted } from "../support/counted-app";
import {
  ForeignIsolate,
  kvAsOfNow,
  newIssuer,
  type Surroundings,
  type TestIssuer,
} from "../support/foreign-issuer";
import { ADMIN, countOf, granted } from "../support/orders";
import { settled, TEST_NOW_MS, testRequest, testScope } from "../support/scope";

/** The bound of a revocation: the life of a lease. */
const LEASE_MS = 60_000;
const SILENT: Pick<Surroundings, "objectOf"> = {
  objectOf: () => ({
    ask: async () => Promise.reject(new Error("silent")),
    revoke: async () => Promise.reject(new Error("silent")),
  }),
};

let issuer: TestIssuer;
let nowMs: number;
const clock = () => nowMs;

beforeEach(async () => {
  issuer = await newIssuer();
  nowMs = TEST_NOW_MS;
});

afterEach(() => {
  vi.unstubAllGlobals();
});

function isolate(more: Partial<Surroundings> = {}): ForeignIsolate {
  return new ForeignIsolate({ issuer, clock, ...more });
}

function services() {
  return wire(env, configOf(env), testScope(clock));
}

/** A subject that an isolate and KV know, as an administrator: the isolate, KV as it was then, and an early token. */
async function knownAdmin() {
  const early = await issuer.token("ada", nowMs - 1_000);
  const warm = isolate();
  const { userId } = await warm.enter(early);
  if (userId === null) throw new Error("refused");
  await env.DB.prepare("update users set role = 'admin'").run();
  granted(await verifyPresented({ ...services(), authenticator: warm.authenticator() }, early));
  await settled();
  expect(await warm.enter(early)).toMatchObject({ as: "admin", d1: 0 });
  return { userId, warm, early, oldKv: await kvAsOfNow() };
}

async function demote(userId: string): Promise<void> {
  granted(await services().users.patch(callBy(ADMIN), userId, { role: "user" }));
}

/** With what follows it: the events' consumer that erases. */
async function remove(userId: string): Promise<void> {
  const { users, auth } = services();
  granted(await users.delete(callBy(ADMIN), userId));
  const [first, ...rest] = auth.erasureOf(userId);
  if (first === undefined) throw new Error("nothing to commit");
  await authDependencies(env, configOf(env), testScope(clock)).database.commit([first, ...rest]);
}

test("a new token of a known subject costs no D1 call, nor does an isolate that has not seen the subject", async () => {
  const first = isolate();
  expect(await first.enter(await issuer.token("ada", nowMs))).toMatchObject({
    as: "user",
    d1: 1,
    kvReads: 1,
  });
  nowMs += 60_000;
  expect(await first.enter(await issuer.token("ada", nowMs))).toMatchObject({
    as: "user",
    d1: 0,
    kvReads: 0,
  });
  expect(await isolate().enter(await issuer.token("ada", nowMs))).toMatchObject({
    as: "user",
    d1: 0,
    kvReads: 1,
  });
  expect(await countOf("users")).toBe(1);
});

test("KV shows neither issuer nor subject, and nothing of a stranger", async () => {
  await isolate().enter(await issuer.token("ada", nowMs));
  await env.DB.prepare("update users set email_key = 'grace@example.com'").run();
  expect(await isolate().enter(await issuer.token("grace", nowMs))).toMatchObject({ as: "forbidden" });
  const { keys } = await env.USER_CACHE.list({ prefix: "identity:" });
  expect(keys).toHaveLength(1);
  const shown = `${keys[0]?.name} ${await env.USER_CACHE.get(keys[0]?.name ?? "")}`;
  expect(shown).not.toMatch(/ada|login\.example/);
  const sealed = /"value":"([^"]+)"/.exec(shown)?.[1] ?? "";
  expect(atob(sealed.replaceAll("-", "+").replaceAll("_", "/"))).not.toMatch(/ada|login\.example/);
});

test("what somebody else put into KV is not believed: neither another's entry nor a changed one", async () => {
  const { userId } = await knownAdmin();
  const { keys: before } = await env.USER_CACHE.list({ prefix: "identity:" });
  const adminsKey = before[0]?.name ?? "";
  const admins = (await env.USER_CACHE.get(adminsKey)) ?? "";
  const early = await issuer.token("eve", nowMs);
  const eve = await isolate().enter(early);
  const { keys } = await env.USER_CACHE.list({ prefix: "identity:" });
  const evesKey = keys.find(({ name }) => name !== adminsKey)?.name ?? "";
  await env.USER_CACHE.put(evesKey, admins);
  expect(await isolate().enter(early)).toMatchObject({ as: "user", userId: eve.userId, d1: 1 });
  const sealed = (JSON.parse(admins) as { value: string }).value;
  const changed = `${sealed.startsWith("A") ? "B" : "A"}${sealed.slice(1)}`;
  await env.USER_CACHE.put(adminsKey, admins.replace(sealed, changed));
  expect(await isolate().enter(await issuer.token("ada", nowMs))).toMatchObject({ userId, d1: 1 });
});

test("an administrator who is demoted is one nowhere after a lease's life, whatever memory and KV say", async () => {
  const { userId, warm, early, oldKv } = await knownAdmin();
  await demote(userId);
  // An isolate with no lease learns of it at once.
  const cold = isolate({ kv: oldKv });
  expect(await cold.enter(early)).toMatchObject({ as: "user", userId, d1: 1 });
  expect(await cold.enter(await issuer.token("ada", nowMs))).toMatchObject({ as: "user", d1: 0 });
  nowMs += LEASE_MS;
  expect(await warm.enter(early)).toMatchObject({ as: "user", d1: 1 });
  expect(await warm.enter(await issuer.token("ada", nowMs))).toMatchObject({ as: "user", d1: 0 });
  // What the primary said lies in KV for everybody else.
  expect(await isolate().enter(early)).toMatchObject({ as: "user", d1: 0, kvReads: 1 });
});

test("no entry outlives the revocation that it is judged by", async () => {
  expect(IDENTITY_LIFE_MS + IDENTITY_FRESH_MS).toBeLessThan(EPOCH_KEPT_MS);
  const { userId, warm, oldKv } = await knownAdmin();
  await demote(userId);
  // The object has forgotten the epoch.
  nowMs += EPOCH_KEPT_MS + 1;
  for (const one of [warm, isolate({ kv: oldKv })]) {
    expect(await one.enter(await issuer.token("ada", nowMs))).toMatchObject({ as: "user", userId });
  }
});

test("an entry lives half a day, by the time in its seal and not by KV's", async () => {
  const { oldKv } = await knownAdmin();
  const unending = {
    ...oldKv,
    get: async (key: string, on: { type: "text"; cacheTtl: number }) => {
      const text = await oldKv.get(key, on);
      return text?.replace(/"expiresAtMs":\d+/, `"expiresAtMs":${Number.MAX_SAFE_INTEGER}`) ?? null;
    },
  };
  nowMs += IDENTITY_LIFE_MS - 2_000;
  const late = await issuer.token("ada", nowMs);
  expect(await isolate({ kv: unending }).enter(late)).toMatchObject({ as: "admin", d1: 0 });
  nowMs += 2_000;
  expect(await isolate({ kv: unending }).enter(late)).toMatchObject({ as: "admin", d1: 1 });
});

test("logout voids every token issued so far, wherever the subject is remembered, and none issued later", async () => {
  const { userId, warm, early, oldKv } = await knownAdmin();
  const other = await issuer.token("ada", nowMs - 500);
  const actor: Actor = { kind: "user", userId, role: "user", sessionId: null };
  granted(await services().auth.logOutAll(callBy(actor)));
  nowMs += LEASE_MS;
  for (const one of [
    warm,
    isolate({ kv: oldKv }),
    isolate(),
    isolate(SILENT),
    isolate({ ...SILENT, kv: oldKv }),
  ]) {
    for (const token of [early, other]) expect((await one.enter(token)).as).toBe("token_revoked");
  }
  expect(await warm.enter(await issuer.token("ada", nowMs))).toMatchObject({ as: "admin", userId, d1: 0 });
});

test("the earlier token of a deleted user is void everywhere, a later one makes another user, and stays apart from it", async () => {
  const { userId, warm, early, oldKv } = await knownAdmin();
  await remove(userId);
  nowMs += LEASE_MS;
  for (const one of [warm, isolate({ kv: oldKv }), isolate(SILENT)]) {
    expect((await one.enter(early)).as).toBe("token_revoked");
  }
  expect(await countOf("users")).toBe(0);

  const late = await issuer.token("ada", nowMs);
  const again = await isolate({ kv: oldKv }).enter(late);
  expect(again).toMatchObject({ as: "user", d1: 1 });
  expect(again.userId).not.toBe(userId);
  const anew = { as: "user", userId: again.userId };
  for (const one of [warm, isolate(), isolate({ kv: oldKv })]) {
    expect(await one.enter(late)).toMatchObject(anew);
    // Whoever kept a token of the old account does not get into the new one.
    expect(await one.enter(early)).toMatchObject({ as: "token_revoked" });
    expect(await one.enter(await issuer.token("ada", nowMs - LEASE_MS - 2_000))).toMatchObject({
      as: "token_revoked",
    });
  }
  expect(await countOf("users")).toBe(1);
});

test("while the object is silent D1 says whom the subject is, each time", async () => {
  const { userId, early, oldKv } = await knownAdmin();
  const away = isolate({ ...SILENT, kv: oldKv });
  expect(await away.enter(early)).toMatchObject({ as: "admin", d1: 1 });
  await env.DB.prepare("update users set role = 'user', token_epoch = token_epoch + 1").run();
  expect(await away.enter(early)).toMatchObject({ as: "user", d1: 1 });
  await env.DB.prepare("delete from users where id = ?").bind(userId).run();
  expect(await away.enter(early)).toMatchObject({ as: "token_revoked" });
});

test("a change that came by no revocation is seen five minutes later, and nobody waits for it", async () => {
  const { warm, oldKv } = await knownAdmin();
  await env.DB.prepare("update users set role = 'user'").run();
  nowMs += IDENTITY_FRESH_MS;
  for (const one of [warm, isolate({ kv: oldKv })]) {
    expect(await one.enter(await issuer.token("ada", nowMs))).toMatchObject({ as: "admin", d1: 0 });
    nowMs += 1_000;
    expect(await one.enter(await issuer.token("ada", nowMs))).toMatchObject({ as: "user", d1: 0 });
  }
});

test("the look at the primary comes after the answer", async () => {
  const { oldKv } = await knownAdmin();
  nowMs += IDENTITY_FRESH_MS;
  const { scope, respond, later } = testRequest(clock);
  const one = isolate({ kv: oldKv }).authenticator(scope);
  expect((await one.verify(await issuer.token("ada", nowMs))).ok).toBe(true);
  expect(respond().d1RoundTrips).toBe(0);
  await settled();
  expect(later.some(({ d1RowsRead }) => d1RowsRead > 0)).toBe(true);
});

test("who asks about a token is told the role of this moment", async () => {
  const { userId, warm, early } = await knownAdmin();
  await demote(userId);
  const asked = await verifyPresented({ ...services(), authenticator: warm.authenticator() }, early);
  expect(granted(asked)).toMatchObject({ role: "user", userId });
});

test("who asks about the token of the call itself is told the role of this moment", async () => {
  vi.stubGlobal("fetch", async () => Response.json(issuer.jwks));
  nowMs = Date.now();
  const token = await issuer.token("ada", nowMs - 1_000);
  const verify = async () => {
    const request = new Request("https://meridian.example/rpc/auth.v1.AuthService/VerifyToken", {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: "{}",
    });
    const { response } = await sendCounted(request, { TRUSTED_ISSUERS: issuer.variable });
    return await response.json<{ userId: string; role: string }>();
  };
  const { userId } = await verify();
  granted(await services().users.patch(callBy(ADMIN), userId, { role: "admin" }));
  expect(await verify()).toMatchObject({ userId, role: "ROLE_ADMIN" });
});

test("what is remembered was read from the primary, each time", async () => {
  const sessions: (string | undefined)[] = [];
  const d1 = new Proxy(env.DB, {
    get(target, property) {
      if (property !== "withSession") return Reflect.get(target, property);
      return (from?: string) => {
        sessions.push(from);
        return target.withSession(from);
      };
    },
  });
  const one = isolate({ d1 });
  await one.enter(await issuer.token("ada", nowMs));
  nowMs += IDENTITY_FRESH_MS;
  await one.enter(await issuer.token("ada", nowMs));
  await one.authenticator().verifyAnew(await issuer.token("ada", nowMs));
  // The sight, the renewal and the doubt; the rest is the outbox's.
  expect(sessions.length).toBeGreaterThanOrEqual(3);
  expect(new Set(sessions)).toEqual(new Set(["first-primary"]));
});
