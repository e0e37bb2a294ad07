import { env } from "cloudflare:workers";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { isAdmin } from "../../src/kernel/actor";
import type { Outcome } from "../../src/kernel/errors";
import { callBy } from "../../src/platform/call";
import type { TrustedIssuer } from "../../src/platform/env";
import { configOf, readConfig } from "../../src/platform/env";
import { createLogger } from "../../src/platform/observability/logger";
import { Sealer } from "../../src/platform/sealing";
import { judgeToken } from "../../src/services/auth";
import { AccessTokens } from "../../src/services/auth/access-tokens";
import { Authenticator } from "../../src/services/auth/authenticator";
import { ForeignKeyMemory, ForeignKeys } from "../../src/services/auth/foreign-keys";
import { type ForeignToken, ForeignTokens } from "../../src/services/auth/foreign-tokens";
import { IdentityCache, newIdentityMemory } from "../../src/services/auth/identity-cache";
import { KeySet } from "../../src/services/auth/key-set";
import { TokenMemory } from "../../src/services/auth/token-memory";
import { wire } from "../../src/wiring";
import { createAccount, freshEmail, signToken } from "../support/accounts";
import { authDependencies } from "../support/auth-dependencies";
import { replaced } from "../support/replaced";
import { settled, TEST_NOW_MS, testRequest, testScope } from "../support/scope";

const ISSUER = "https://login.example.com/";
const NOW = TEST_NOW_MS / 1000;
const EMPTY_KV = { get: async () => null, put: async () => undefined };

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;
let pair: KeyPair;
let jwks: { keys: object[] };
let fetches: string[];
let isIssuerDown: boolean;
let keyMemory: ForeignKeyMemory;

afterEach(settled);
beforeAll(async () => {
  pair = await generateKeyPair("ES256");
});
beforeEach(async () => {
  jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: "k1", use: "sig", alg: "ES256" }] };
  fetches = [];
  isIssuerDown = false;
  keyMemory = new ForeignKeyMemory();
});

function issuerWith(more: object = {}): TrustedIssuer {
  const entry = {
    issuer: ISSUER,
    jwksUrl: `${ISSUER}jwks.json`,
    audience: "meridian",
    createUsers: true,
    ...more,
  };
  const [issuer] = readConfig({ ...env, TRUSTED_ISSUERS: JSON.stringify([entry]) }).TRUSTED_ISSUERS;
  if (issuer === undefined) throw new Error("no issuer");
  return issuer;
}

/** An authenticator that trusts the issuer, at a time. */
function authenticatorAt(
  nowMs: number,
  issuer = issuerWith(),
  memory = new TokenMemory<Outcome<ForeignToken>>(),
  scope = testScope(() => nowMs),
): Authenticator {
  const config = configOf(env);
  const own = new AccessTokens({
    keys: new KeySet(config.JWT_SIGNING_KEYS.keys),
    issuer: config.JWT_ISSUER,
    audience: config.JWT_AUDIENCE,
    ttlSeconds: 900,
    clock: scope.clock,
    memory: new TokenMemory(),
  });
  const fetchJson = async (url: string) => {
    fetches.push(url);
    if (isIssuerDown) throw new Error("down");
    return jwks;
  };
  const keys = new ForeignKeys(keyMemory, fetchJson, scope.log);
  const dependencies = authDependencies(env, config, scope);
  // An isolate of its own, and KV knows nobody: what is remembered apart from tokens has a test of its own.
  const identityCache = new IdentityCache({
    ...{ kv: EMPTY_KV, memory: newIdentityMemory(), scope },
    ...{ deriver: dependencies.deriver, sealer: new Sealer(config.DATA_KEY) },
  });
  return new Authenticator(
    own,
    new ForeignTokens(replaced(dependencies, { identityCache }), { issuers: [issuer], keys, memory }),
  );
}

async function token(claims: object = {}, header: object = {}, key = pair.privateKey): Promise<string> {
  const payload = {
    iss: ISSUER,
    aud: "meridian",
    sub: "auth0|1",
    iat: NOW,
    exp: NOW + 3600,
    email: "ada@example.com",
    email_verified: true,
    name: "Ada Lovelace",
    ...claims,
  };
  return await new SignJWT(JSON.parse(JSON.stringify(payload)))
    .setProtectedHeader({ alg: "ES256", kid: "k1", ...header })
    .sign(key);
}

async function codeOf(text: string, nowMs = TEST_NOW_MS, issuer = issuerWith()): Promise<string> {
  const outcome = await authenticatorAt(nowMs, issuer).verify(text);
  return outcome.ok ? "accepted" : outcome.refusal.code;
}

async function rows(query: string): Promise<Record<string, unknown>[]> {
  return (await env.DB.prepare(query).all()).results;
}

test("a valid token of a trusted issuer signs its subject in, created once, with a proven address and no password", async () => {
  const first = await authenticatorAt(TEST_NOW_MS).verify(await token());
  const second = await authenticatorAt(TEST_NOW_MS).verify(await token({ jti: "other" }));
  if (!first.ok || !second.ok) throw new Error("refused");
  expect(second.value.userId).toBe(first.value.userId);
  expect(first.value).toMatchObject({ role: "user", sessionId: null });
  expect(await rows("select email, is_email_verified, password_hash, role from users")).toEqual([
    { email: "ada@example.com", is_email_verified: 1, password_hash: null, role: "user" },
  ]);
  expect(await rows("select type from outbox_events")).toEqual([{ type: "user.created" }]);
});

test("of ten at first sight one makes the user, and all are let in", async () => {
  const signed = await token();
  const outcomes = await Promise.all(
    Array.from({ length: 10 }, () => authenticatorAt(TEST_NOW_MS).verify(signed)),
  );
  const [user, ...others] = await rows("select id from users");
  expect(others).toEqual([]);
  expect(outcomes.map((outcome) => outcome.ok && outcome.value.userId)).toEqual(Array(10).fill(user?.id));
  expect(await rows("select * from foreign_identities")).toHaveLength(1);
});

test("an address that somebody has is never linked: 403, and nothing is written", async () => {
  const account = await createAccount();
  expect(await codeOf(await token({ email: account.email }))).toBe("forbidden");
  expect(await codeOf(await token({ email: account.email.toUpperCase() }))).toBe("forbidden");
  expect(await rows("select * from foreign_identities")).toEqual([]);
  expect(await rows("select id from users")).toHaveLength(1);
});

test.each([
  ["an unverified address", { email_verified: false }],
  ["an address verified by a word", { email_verified: "true" }],
  ["no address", { email: undefined }],
  ["an address with letters of another script", { email: "ad\u0430@example.com" }],
])("%s at first sight is 403", async (_, claims) => {
  expect(await codeOf(await token(claims))).toBe("forbidden");
  expect(await rows("select id from users")).toEqual([]);
});

test("without createUsers a stranger is 403", async () => {
  expect(await codeOf(await token(), TEST_NOW_MS, issuerWith({ createUsers: false }))).toBe("forbidden");
});

test("a role is never taken from a token unless the issuer's entry maps it, and then for that token alone", async () => {
  const claims = { role: "admin", roles: ["admin"] };
  const plain = await authenticatorAt(TEST_NOW_MS).verify(await token(claims));
  expect(plain.ok && plain.value.role).toBe("user");
  const mapping = issuerWith({ claims: { role: "roles" }, roles: { admin: "admin" } });
  const mapped = await authenticatorAt(TEST_NOW_MS, mapping).verify(await token(claims));
  expect(mapped.ok && mapped.value.role).toBe("admin");
  const other = await authenticatorAt(TEST_NOW_MS, mapping).verify(await token({ roles: ["constructor"] }));
  expect(other.ok && other.value.role).toBe("user");
  expect(await rows("select role from users")).toEqual([{ role: "user" }]);
  expect(isAdmin({ kind: "user", userId: "u", role: "user", sessionId: null })).toBe(false);
});

test.each([
  ["another audience", { aud: "elsewhere" }, "unauthenticated"],
  ["an issuer nobody trusts", { iss: "https://evil.example/" }, "unauthenticated"],
  ["a life over 24 hours", { exp: NOW + 86_401 }, "unauthenticated"],
  ["no expiry", { exp: undefined }, "unauthenticated"],
  ["no time of issue", { iat: undefined }, "unauthenticated"],
  ["a time of issue in the future", { iat: NOW + 120, exp: NOW + 600 }, "unauthenticated"],
  ["no subject", { sub: undefined }, "unauthenticated"],
  ["an expiry that is past", { iat: NOW - 600, exp: NOW - 1 }, "token_expired"],
])("a token with %s is refused", async (_, claims, code) => {
  expect(await codeOf(await token(claims))).toBe(code);
});

test("a key of one's own, an algorithm that is not listed, and a symmetric key are refused", async () => {
  const own = await generateKeyPair("ES256");
  expect(await codeOf(await token({}, {}, own.privateKey))).toBe("unauthenticated");
  expect(await codeOf(await token(), TEST_NOW_MS, issuerWith({ algorithms: ["RS256"] }))).toBe(
    "unauthenticated",
  );
  const secret = new TextEncoder().encode("a secret that everybody can read");
  jwks.keys.push({ kty: "oct", kid: "k2", k: "YSBzZWNyZXQgdGhhdCBldmVyeWJvZHkgY2FuIHJlYWQ" });
  const symmetric = await new SignJWT({ iss: ISSUER, aud: "meridian", sub: "x", iat: NOW, exp: NOW + 60 })
    .setProtectedHeader({ alg: "HS256", kid: "k2" })
    .sign(secret);
  expect(await codeOf(symmetric)).toBe("unauthenticated");
});

test("a key serves the algorithm that its set names, and no other", async () => {
  const rsa = await generateKeyPair("PS256", { extractable: true });
  jwks.keys.push({ ...(await exportJWK(rsa.publicKey)), kid: "k2", alg: "RS256" });
  const both = issuerWith({ algorithms: ["RS256", "PS256"] });
  const signed = await token({}, { alg: "PS256", kid: "k2" }, rsa.privateKey);
  expect(await codeOf(signed, TEST_NOW_MS, both)).toBe("unauthenticated");
  jwks.keys.splice(1, 1, { ...(await exportJWK(rsa.publicKey)), kid: "k2" });
  expect(await codeOf(signed, TEST_NOW_MS + 601_000, both)).toBe("accepted");
});

test("a hundred unknown key ids lead to one more fetch, and a rotated key is found after the cool-down", async () => {
  expect(await codeOf(await token())).toBe("accepted");
  expect(fetches).toHaveLength(1);
  for (let index = 0; index < 100; index += 1) {
    expect(await codeOf(await token({}, { kid: `made-up-${index}` }), TEST_NOW_MS + 31_000)).toBe(
      "unauthenticated",
    );
  }
  expect(fetches).toHaveLength(2);
  const next = await generateKeyPair("ES256");
  jwks = { keys: [{ ...(await exportJWK(next.publicKey)), kid: "k2" }] };
  const rotated = await token({}, { kid: "k2" }, next.privateKey);
  expect(await codeOf(rotated, TEST_NOW_MS + 40_000)).toBe("unauthenticated");
  expect(await codeOf(rotated, TEST_NOW_MS + 62_000)).toBe("accepted");
  expect(fetches).toHaveLength(3);
});

test("an issuer that is down is believed on its known keys, and asked again only after the cool-down", async () => {
  isIssuerDown = true;
  await expect(codeOf(await token())).rejects.toMatchObject({ code: "unavailable" });
  await expect(codeOf(await token())).rejects.toMatchObject({ code: "unavailable" });
  expect(fetches).toHaveLength(1);
  isIssuerDown = false;
  expect(await codeOf(await token(), TEST_NOW_MS + 31_000)).toBe("accepted");
  isIssuerDown = true;
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  const scope = { ...testScope(() => TEST_NOW_MS + 700_000), log: createLogger("warn") };
  const late = authenticatorAt(TEST_NOW_MS + 700_000, issuerWith(), new TokenMemory(), scope);
  expect((await late.verify(await token({ exp: NOW + 7200 }))).ok).toBe(true);
  expect(warn.mock.calls.flat().join()).toMatch(/"event":"auth\.issuer_keys_stale","error":"Error"/);
  warn.mockRestore();
});

test("a remembered token costs no D1 call", async () => {
  const memory = new TokenMemory<Outcome<ForeignToken>>();
  const signed = await token();
  await authenticatorAt(TEST_NOW_MS, issuerWith(), memory).verify(signed);
  await env.DB.prepare("delete from foreign_identities").run();
  await env.DB.prepare("update users set email_key = 'gone'").run();
  expect((await authenticatorAt(TEST_NOW_MS, issuerWith(), memory).verify(signed)).ok).toBe(true);
});

test("first sight takes one round trip, and one that may not come in costs none when it comes again", async () => {
  const { scope, respond } = testRequest();
  const memory = new TokenMemory<Outcome<ForeignToken>>();
  const at = (nowMs: number, on = scope) => authenticatorAt(nowMs, issuerWith(), memory, on);
  expect((await at(TEST_NOW_MS).verify(await token())).ok).toBe(true);
  expect(scope.calls.d1RoundTrips).toBe(1);
  const stranger = await token({ sub: "auth0|2" });
  for (const trips of [3, 3, 3]) {
    const outcome = await at(TEST_NOW_MS).verify(stranger);
    expect(outcome.ok === false && outcome.refusal.code).toBe("forbidden");
    expect(scope.calls.d1RoundTrips).toBe(trips);
  }
  respond();
  await env.DB.prepare("update users set email_key = 'elsewhere@example.com'").run();
  const later = testScope(() => TEST_NOW_MS + 30_000);
  expect((await at(TEST_NOW_MS + 30_000, later).verify(stranger)).ok).toBe(true);
});

test("logout with a foreign token voids all that its subject was issued so far, and none issued later", async () => {
  const signed = await token();
  const outcome = await authenticatorAt(TEST_NOW_MS).verify(signed);
  if (!outcome.ok) throw new Error("refused");
  const { userId } = outcome.value;
  const scope = testScope(() => TEST_NOW_MS + 5_000);
  const { auth } = wire(env, configOf(env), scope);
  const actor = { kind: "user", userId, role: "user", sessionId: null } as const;
  expect((await auth.logOut(callBy(actor))).ok).toBe(true);
  expect(await codeOf(signed, TEST_NOW_MS + 6_000)).toBe("token_revoked");
  expect(await codeOf(await token({ iat: NOW + 6, exp: NOW + 900 }), TEST_NOW_MS + 6_000)).toBe("accepted");
  const known = { minEpoch: 0, minEpochSince: null, minIssuedAt: NOW + 6, isSessionRevoked: () => false };
  expect(judgeToken(outcome.value, known)).toBe("void");
});

test("when the user's epoch was raised, whom a foreign token is here is read anew", async () => {
  const memory = new TokenMemory<Outcome<ForeignToken>>();
  const signed = await token();
  const authenticator = authenticatorAt(TEST_NOW_MS, issuerWith(), memory);
  const outcome = await authenticator.verify(signed);
  if (!outcome.ok) throw new Error("refused");
  await env.DB.prepare("update users set role = 'admin', token_epoch = 2").run();
  const known = { minEpoch: 2, minEpochSince: null, minIssuedAt: 0, isSessionRevoked: () => false };
  expect(judgeToken(outcome.value, known)).toBe("unsure");
  const anew = await authenticator.verifyAnew(signed);
  expect(anew).toMatchObject({ role: "admin", epoch: 2 });
  expect(anew && judgeToken(anew, known)).toBe("good");
});

test("the token of a deleted user is void, and makes no user again; a later one does", async () => {
  const signed = await token();
  const outcome = await authenticatorAt(TEST_NOW_MS).verify(signed);
  if (!outcome.ok) throw new Error("refused");
  const { userId } = outcome.value;
  const { auth } = wire(env, configOf(env), testScope());
  await env.DB.prepare("delete from user_profiles").run();
  await env.DB.prepare("delete from users").run();
  expect(await codeOf(signed)).toBe("token_revoked");
  const statements = auth.erasureOf(userId);
  const scope = testScope();
  await authDependencies(env, configOf(env), scope).database.commit([
    statements[0] ?? never(),
    ...statements.slice(1),
  ]);
  expect(await codeOf(signed)).toBe("token_revoked");
  expect(await rows("select id from users")).toEqual([]);
  expect(await codeOf(await token({ iat: NOW + 1 }), TEST_NOW_MS + 1_000)).toBe("accepted");
  expect(await rows("select id from users")).toHaveLength(1);
});

test("our own tokens are verified as ever beside a trusted issuer", async () => {
  const { id } = await createAccount({ email: freshEmail() });
  const own = await signToken({ userId: id });
  const outcome = await authenticatorAt(Date.now()).verify(own);
  expect(outcome.ok && outcome.value.userId).toBe(id);
});

test.each([
  ["a jwksUrl over plain http", { jwksUrl: "http://login.example.com/jwks" }],
  ["a symmetric algorithm", { algorithms: ["HS256"] }],
  ["an unknown member", { trustEverything: true }],
])("configuration with %s is refused", (_, more) => {
  expect(() => issuerWith(more)).toThrow("TRUSTED_ISSUERS");
});

function never(): never {
  throw new Error("nothing to commit");
}
