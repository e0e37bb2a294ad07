import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { admissionOf } from "../../src/gateway/admission";
import { callBy } from "../../src/platform/call";
import { configOf } from "../../src/platform/env";
import { userKey } from "../../src/platform/limiter";
import type { ClientLimiter } from "../../src/platform/limiter/client-limiter";
import type { BearerToken } from "../../src/services/auth";
import { AccessTokens } from "../../src/services/auth/access-tokens";
import { KeySet } from "../../src/services/auth/key-set";
import { AuthService } from "../../src/services/auth/service";
import { TokenMemory } from "../../src/services/auth/token-memory";
import { wire } from "../../src/wiring";
import { authDependencies } from "../support/auth-dependencies";
import { type Isolate, newIsolate } from "../support/limiter";
import { replaced } from "../support/replaced";
import { settled, TEST_NOW_MS, testScope } from "../support/scope";

const USER_ID = "019ab000-0000-7000-8000-000000000001";
const OTHER_SESSION = "019ab000-0000-7000-8000-0000000000ff";
/** A generous budget, so that it is the revocation and not the limit that refuses. */
const config = { ...configOf(env), RATE_LIMIT_MAX: 100_000, RATE_LIMIT_LEASE_MAX: 50 };
const STEP_MS = 500;

const EVENT = {
  specversion: "1.0",
  id: "019ab000-0000-7000-8000-0000000000ee",
  source: "/meridian/auth",
  subject: USER_ID,
  time: new Date(TEST_NOW_MS).toISOString(),
  datacontenttype: "application/json",
  dataschema: "",
  sequence: "1",
} as const;

let nowMs: number;
const clock = () => nowMs;

beforeEach(async () => {
  nowMs = TEST_NOW_MS;
  await runInDurableObject(env.CLIENT_LIMITER.getByName(userKey(USER_ID)), (object: ClientLimiter) => {
    object.clock = clock;
  });
});

function authOver(isolate: Isolate): AuthService {
  const dependencies = authDependencies(env, configOf(env), testScope(clock));
  return new AuthService(
    replaced(dependencies, {
      revoker: { revoke: (userId, revocations) => isolate.limiter.revoke(userKey(userId), revocations) },
    }),
  );
}

async function tokenOf(sessionId: string): Promise<{ text: string; token: BearerToken }> {
  const tokens = new AccessTokens({
    keys: new KeySet(config.JWT_SIGNING_KEYS.keys),
    issuer: config.JWT_ISSUER,
    audience: config.JWT_AUDIENCE,
    ttlSeconds: 900,
    clock,
    memory: new TokenMemory(),
  });
  const subject = { tokenId: "t", userId: USER_ID, sessionId, role: "user", epoch: 1 } as const;
  const { token: text } = await tokens.issue({ ...subject, sessionExpiresAt: nowMs + 604_800_000 });
  const outcome = await tokens.verify(text);
  if (!outcome.ok) throw new Error("refused");
  return { text, token: outcome.value };
}

/** Whether admission accepts a token that was verified already, in an isolate with leases of its own. */
async function isAccepted(
  isolate: Isolate,
  { text, token }: Awaited<ReturnType<typeof tokenOf>>,
): Promise<boolean> {
  const { auth, authenticator } = wire(env, config, testScope(clock));
  const { budget, badToken } = await admissionOf({
    services: { limiter: isolate.limiter, auth, authenticator },
    config,
    credentials: { kind: "verified", presented: text, token },
    address: undefined,
  });
  if (budget.outcome !== "admitted" || budget.revocations === null) throw new Error("not admitted");
  return badToken === null;
}

test("after a revocation the last request that any isolate still accepts comes less than 60 s later", async () => {
  const sessionId = await startSession();
  const revoked = await tokenOf(sessionId);
  const spared = await tokenOf(OTHER_SESSION);
  const isolates = Array.from({ length: 6 }, () => newIsolate({ clock }));
  // Leases grow with demand: after some busy minutes each isolate holds many units.
  for (let minute = 0; minute < 3; minute += 1) {
    for (const isolate of isolates) {
      for (let index = 0; index < 60; index += 1) await isAccepted(isolate, revoked);
    }
    nowMs += 60_000;
  }
  // A fresh lease each, a tenth of a second before the session is ended: the worst that can be.
  for (const isolate of isolates) expect(await isAccepted(isolate, revoked)).toBe(true);
  nowMs += 100;
  const [first, ...others] = isolates;
  if (first === undefined) throw new Error("no isolate");
  const outcome = await authOver(first).endSession(
    callBy({ kind: "user", userId: USER_ID, role: "user", sessionId: OTHER_SESSION }),
    sessionId,
  );
  expect(outcome.ok).toBe(true);
  const revokedAt = nowMs;
  expect(await isAccepted(first, revoked)).toBe(false);

  let acceptedLater = 0;
  let lastAcceptedAt = revokedAt;
  for (let step = 0; nowMs < revokedAt + 180_000; step += 1, nowMs += STEP_MS) {
    for (const [index, isolate] of others.entries()) {
      // Some spend their lease soon, some are so quiet that it lasts its whole life.
      if (step % (2 + 4 * index) !== 0) continue;
      if (await isAccepted(isolate, revoked)) {
        acceptedLater += 1;
        lastAcceptedAt = nowMs;
      }
      expect(await isAccepted(isolate, spared)).toBe(true);
    }
  }
  // Leases are what costs time, or the test would show nothing.
  expect(acceptedLater).toBeGreaterThan(10);
  expect(lastAcceptedAt - revokedAt).toBeGreaterThan(40_000);
  expect(lastAcceptedAt - revokedAt).toBeLessThan(60_000);
  await settled();
}, 60_000);

test("the object holds the revocation before D1 does: when D1 fails the token is refused and the call is 503", async () => {
  const sessionId = await startSession();
  const revoked = await tokenOf(sessionId);
  const isolate = newIsolate({ clock });
  await env.DB.prepare("alter table audit_log rename to audit_log_away").run();
  const actor = { kind: "user", userId: USER_ID, role: "user", sessionId } as const;
  await expect(authOver(isolate).logOut(callBy(actor))).rejects.toMatchObject({ code: "unavailable" });
  expect(await isAccepted(isolate, revoked)).toBe(false);
  expect(await isEnded(sessionId)).toBe(false);
  await env.DB.prepare("alter table audit_log_away rename to audit_log").run();
  expect((await authOver(isolate).logOut(callBy(actor))).ok).toBe(true);
  expect(await isEnded(sessionId)).toBe(true);
  await settled();
});

test("an object that lost its revocations is told again by the event", async () => {
  const sessionId = await startSession();
  const revoked = await tokenOf(sessionId);
  const actor = { kind: "user", userId: USER_ID, role: "user", sessionId } as const;
  await authOver(newIsolate({ clock })).logOut(callBy(actor));
  const [event] = (await env.DB.prepare("select * from outbox_events where type = 'session.ended'").all())
    .results;
  const object = env.CLIENT_LIMITER.getByName(userKey(USER_ID));
  await runInDurableObject(object, (_, state) => state.storage.deleteAll());
  await evictDurableObject(object);
  await runInDurableObject(env.CLIENT_LIMITER.getByName(userKey(USER_ID)), (fresh: ClientLimiter) => {
    fresh.clock = clock;
  });
  expect(await isAccepted(newIsolate({ clock }), revoked)).toBe(true);
  await authOver(newIsolate({ clock })).repeatRevocation({
    ...EVENT,
    type: "session.ended",
    data: JSON.parse(String(event?.data)),
  });
  expect(await isAccepted(newIsolate({ clock }), revoked)).toBe(false);
  await authOver(newIsolate({ clock })).repeatRevocation({ ...EVENT, type: "user.deleted", data: {} });
  expect(await isAccepted(newIsolate({ clock }), await tokenOf(OTHER_SESSION))).toBe(false);
  await settled();
});

test("a change of password is told again: its sessions, and after a reset the epoch", async () => {
  const sessionId = await startSession();
  const [ended, spared] = [await tokenOf(sessionId), await tokenOf(OTHER_SESSION)];
  nowMs += 2_000;
  const auth = authOver(newIsolate({ clock }));
  const changed = { ...EVENT, type: "password.changed", data: {} };
  await env.DB.prepare("update sessions set ended_at = 1, end_reason = 'password_changed', end_event_id = ?")
    .bind(EVENT.id)
    .run();
  await auth.repeatRevocation(changed);
  expect(await isAccepted(newIsolate({ clock }), ended)).toBe(false);
  expect(await isAccepted(newIsolate({ clock }), spared)).toBe(true);
  await env.DB.prepare("update users set token_epoch = 2").run();
  await auth.repeatRevocation({ ...changed, id: "019ab000-0000-7000-8000-0000000000ed" });
  expect(await isAccepted(newIsolate({ clock }), spared)).toBe(false);
  await settled();
});

test("a role that was changed from outside the Worker voids the tokens of the old one", async () => {
  const before = await tokenOf(await startSession());
  await env.DB.prepare("update users set role = 'admin', token_epoch = 2").run();
  expect(await isAccepted(newIsolate({ clock }), before)).toBe(true);
  const data = { userId: USER_ID, role: "admin" };
  await authOver(newIsolate({ clock })).repeatRevocation({ ...EVENT, type: "user.role_changed", data });
  expect(await isAccepted(newIsolate({ clock }), before)).toBe(false);
  await settled();
});

test("an epoch whose batch was never committed locks nobody out: tokens from before stay void, later ones are asked of D1", async () => {
  const sessionId = await startSession();
  const before = await tokenOf(sessionId);
  nowMs += 2_000;
  const isolate = newIsolate({ clock });
  await isolate.limiter.revoke(userKey(USER_ID), { minEpoch: 2 });
  nowMs += 2_000;
  const later = await tokenOf(sessionId);
  for (const anIsolate of [isolate, newIsolate({ clock })]) {
    expect(await isAccepted(anIsolate, before)).toBe(false);
    expect(await isAccepted(anIsolate, later)).toBe(true);
  }
  // Repeating the call that failed does not make the tokens from between void.
  await isolate.limiter.revoke(userKey(USER_ID), { minEpoch: 2 });
  expect(await isAccepted(newIsolate({ clock }), later)).toBe(true);
  await env.DB.prepare("update users set token_epoch = 2").run();
  expect(await isAccepted(isolate, later)).toBe(false);
  await settled();
});

test("when the object does not answer nothing is acknowledged and D1 is untouched", async () => {
  const sessionId = await startSession();
  const silent = newIsolate({
    clock,
    sleep: async () => undefined,
    objectOf: () => ({ ask: () => new Promise(() => undefined), revoke: () => new Promise(() => undefined) }),
  });
  const actor = { kind: "user", userId: USER_ID, role: "user", sessionId } as const;
  await expect(authOver(silent).logOut(callBy(actor))).rejects.toMatchObject({ code: "unavailable" });
  expect(await isEnded(sessionId)).toBe(false);
});

test("while the object is silent a token is checked in D1: its session, its epoch, its user", async () => {
  const sessionId = await startSession();
  const { token } = await tokenOf(sessionId);
  if (token.sessionId === null) throw new Error("foreign");
  const auth = authOver(newIsolate({ clock }));
  expect(await auth.isValid(token)).toBe(true);
  await env.DB.prepare("update users set token_epoch = 2").run();
  expect(await auth.isValid(token)).toBe(false);
  await env.DB.prepare("update users set token_epoch = 1").run();
  await env.DB.prepare("update sessions set ended_at = 1, end_reason = 'logout'").run();
  expect(await auth.isValid(token)).toBe(false);
  await env.DB.prepare("update sessions set ended_at = null, end_reason = null, expires_at = ?")
    .bind(nowMs)
    .run();
  expect(await auth.isValid(token)).toBe(false);
  await env.DB.prepare("update sessions set expires_at = ?")
    .bind(nowMs + 1)
    .run();
  expect(await auth.isValid(token)).toBe(true);
  await env.DB.prepare("delete from user_profiles").run();
  await env.DB.prepare("delete from users").run();
  expect(await auth.isValid(token)).toBe(false);
});

/** A user and a session of theirs, behind the API's back. */
async function startSession(): Promise<string> {
  const sessionId = "019ab000-0000-7000-8000-000000000002";
  await env.DB.batch([
    env.DB.prepare(
      `insert into users (id, name, email, email_key, role, is_email_verified, last_change_id, created_at, updated_at)
       values (?, 'Ada', 'ada@example.com', 'ada@example.com', 'user', 0, 'e', 1, 1)`,
    ).bind(USER_ID),
    env.DB.prepare("insert into user_profiles (user_id) values (?)").bind(USER_ID),
    env.DB.prepare(
      "insert into sessions (id, user_id, device, created_at, last_seen_at, expires_at) values (?, ?, 'x', ?, ?, ?)",
    ).bind(sessionId, USER_ID, nowMs, nowMs, nowMs + 604_800_000),
  ]);
  return sessionId;
}

async function isEnded(sessionId: string): Promise<boolean> {
  const row = await env.DB.prepare("select ended_at from sessions where id = ?")
    .bind(sessionId)
    .first<{ ended_at: number | null }>();
  return row?.ended_at !== null;
}
