import fc from "fast-check";
import { exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import type { SigningKey } from "../../../../src/platform/env";
import { AccessTokens, type VerifiedToken } from "../../../../src/services/auth/access-tokens";
import { KeySet } from "../../../../src/services/auth/key-set";
import { TokenMemory } from "../../../../src/services/auth/token-memory";

const NOW_MS = Date.UTC(2026, 10, 22, 12, 0, 0);
const NOW = NOW_MS / 1000;
const ISSUER = "https://meridian.example";
const AUDIENCE = "meridian";
const USER_ID = "019ab000-0000-7000-8000-000000000001";
const SESSION_ID = "019ab000-0000-7000-8000-000000000002";
const SUBJECT = {
  tokenId: "019ab000-0000-7000-8000-000000000003",
  userId: USER_ID,
  sessionId: SESSION_ID,
  role: "user",
  epoch: 3,
  sessionExpiresAt: NOW_MS + 604_800_000,
} as const;

async function newSigningKey(kid: string): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const { x, y, d } = await exportJWK(privateKey);
  if (x === undefined || y === undefined || d === undefined) throw new Error("not an EC key");
  return { kty: "EC", crv: "P-256", kid, x, y, d };
}

let current: SigningKey;
let previous: SigningKey;

beforeAll(async () => {
  current = await newSigningKey("current");
  previous = await newSigningKey("previous");
});

function tokensAt(nowMs: number, more: { keys?: SigningKey[]; memory?: TokenMemory<VerifiedToken> } = {}) {
  return new AccessTokens({
    keys: new KeySet(more.keys ?? [current, previous]),
    issuer: ISSUER,
    audience: AUDIENCE,
    ttlSeconds: 900,
    clock: () => nowMs,
    memory: more.memory ?? new TokenMemory(),
  });
}

interface Forgery {
  readonly header?: Record<string, unknown>;
  readonly claims?: Record<string, unknown>;
  readonly key?: SigningKey;
}

/** A token signed with our own key, right but for what the test changes. A claim set to undefined is left out. */
async function signed({ header = {}, claims = {}, key = current }: Forgery): Promise<string> {
  const payload = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: USER_ID,
    sid: SESSION_ID,
    role: "user",
    epoch: 3,
    jti: "j",
    iat: NOW,
    exp: NOW + 900,
    ...claims,
  };
  return await new SignJWT(JSON.parse(JSON.stringify(payload)))
    .setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: key.kid, ...header })
    .sign(await importJWK({ ...key }, "ES256"));
}

/** A compact JWS put together by hand, for headers that no library would sign. */
function handmade(header: unknown, payload: unknown, signature = ""): string {
  const part = (value: unknown) =>
    btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return `${part(header)}.${part(payload)}.${signature}`;
}

async function hmacSigned(secret: Uint8Array<ArrayBuffer>, header: Record<string, unknown>): Promise<string> {
  const unsigned = handmade({ typ: "at+jwt", kid: "current", ...header }, goodPayload()).slice(0, -1);
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(unsigned)));
  const signature = btoa(String.fromCharCode(...mac))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
  return `${unsigned}.${signature}`;
}

function goodPayload() {
  return {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: USER_ID,
    sid: SESSION_ID,
    role: "admin",
    epoch: 3,
    jti: "j",
    iat: NOW,
    exp: NOW + 900,
  };
}

async function codeOf(token: string, nowMs = NOW_MS): Promise<string> {
  const outcome = await tokensAt(nowMs).verify(token);
  return outcome.ok ? "accepted" : outcome.refusal.code;
}

test("an issued token verifies to what it was issued for, and tells its life in seconds", async () => {
  const tokens = tokensAt(NOW_MS);
  const { token, expiresIn } = await tokens.issue(SUBJECT);
  expect(expiresIn).toBe(900);
  expect(await tokens.verify(token)).toEqual({
    ok: true,
    value: {
      ...{ userId: USER_ID, sessionId: SESSION_ID, role: "user", epoch: 3 },
      ...{ issuedAt: NOW, expiresAt: NOW_MS + 900_000 },
    },
  });
});

test("a token ends with its session at the latest", async () => {
  const { expiresIn } = await tokensAt(NOW_MS).issue({ ...SUBJECT, sessionExpiresAt: NOW_MS + 60_500 });
  expect(expiresIn).toBe(60);
});

test("the control of the matrix: the unchanged hand-signed token is accepted", async () => {
  expect(await codeOf(await signed({}))).toBe("accepted");
});

test("a token of the key before the last rotation is accepted, one of a key taken out is not", async () => {
  const token = await signed({ key: previous });
  expect(await codeOf(token)).toBe("accepted");
  const outcome = await tokensAt(NOW_MS, { keys: [current] }).verify(token);
  expect(outcome).toMatchObject({ ok: false, refusal: { code: "unauthenticated" } });
});

describe("the negative matrix: each of these is unauthenticated", () => {
  const CLAIMS: [string, Record<string, unknown>][] = [
    ["another issuer", { iss: "https://elsewhere.example" }],
    ["no issuer", { iss: undefined }],
    ["another audience", { aud: "elsewhere" }],
    ["no audience", { aud: undefined }],
    ["no subject", { sub: undefined }],
    ["a subject that is not a user id", { sub: "admin" }],
    ["no session", { sid: undefined }],
    ["a numeric session", { sid: 7 }],
    ["no role", { role: undefined }],
    ["an unknown role", { role: "superuser" }],
    ["no epoch", { epoch: undefined }],
    ["an epoch of zero", { epoch: 0 }],
    ["a fractional epoch", { epoch: 1.5 }],
    ["an epoch as text", { epoch: "3" }],
    ["no token id", { jti: undefined }],
    ["no time of issue", { iat: undefined }],
    ["a time of issue in the future", { iat: NOW + 61 }],
    ["no expiry", { exp: undefined }],
    ["an expiry as text", { exp: "tomorrow" }],
    ["a life over 24 hours", { exp: NOW + 86_401 }],
    ["a time before which it is not valid", { nbf: NOW + 1 }],
  ];
  test.each(CLAIMS)("%s", async (_, claims) => {
    expect(await codeOf(await signed({ claims }))).toBe("unauthenticated");
  });

  const HEADERS: [string, Record<string, unknown>][] = [
    ["no type", { typ: undefined }],
    ["an id token's type", { typ: "JWT" }],
    ["no kid", { kid: undefined }],
    ["an unknown kid", { kid: "unknown" }],
    ["the kid of another key of the set", { kid: "previous" }],
    ["a kid named like an object's own method", { kid: "constructor" }],
    ["a jku", { jku: "https://attacker.example/jwks.json" }],
    ["an x5u", { x5u: "https://attacker.example/cert" }],
    ["a content type", { cty: "JWT" }],
  ];
  test.each(HEADERS)("%s", async (_, header) => {
    const clean = Object.fromEntries(
      Object.entries({ alg: "ES256", typ: "at+jwt", kid: "current", ...header }).filter(
        ([, value]) => value !== undefined,
      ),
    );
    const token = await new SignJWT(goodPayload())
      .setProtectedHeader({ ...clean, alg: "ES256" })
      .sign(await importJWK({ ...current }, "ES256"));
    expect(await codeOf(token)).toBe("unauthenticated");
  });

  test("an embedded key, with a signature that it verifies", async () => {
    const attacker = await newSigningKey("current");
    const { d: _, ...jwk } = attacker;
    expect(await codeOf(await signed({ key: attacker, header: { jwk } }))).toBe("unauthenticated");
  });

  test("another key under a known kid", async () => {
    expect(await codeOf(await signed({ key: await newSigningKey("current") }))).toBe("unauthenticated");
  });

  test.each(["none", "None", "NONE", "nOnE", ""])("alg %s", async (alg) => {
    const header = { alg, typ: "at+jwt", kid: "current" };
    expect(await codeOf(handmade(header, goodPayload()))).toBe("unauthenticated");
    const realSignature = (await signed({})).split(".")[2];
    expect(await codeOf(handmade(header, goodPayload(), realSignature))).toBe("unauthenticated");
  });

  test("HS256 keyed with the public key in each of its spellings", async () => {
    const { d: _, ...jwk } = current;
    const publicKey = await importJWK({ ...jwk }, "ES256", { extractable: true });
    if (publicKey instanceof Uint8Array) throw new Error("not a public key");
    const encoder = new TextEncoder();
    const published = JSON.stringify(new KeySet([current]).published().keys[0]);
    for (const secret of [await exportSPKI(publicKey), published, current.x]) {
      for (const alg of ["HS256", "ES256"]) {
        expect(
          await codeOf(await hmacSigned(encoder.encode(secret) as Uint8Array<ArrayBuffer>, { alg })),
        ).toBe("unauthenticated");
      }
    }
  });

  test("a token that is changed by one character anywhere", async () => {
    const token = await signed({});
    // The last character of the signature holds four bits that decode to nothing; it is left alone.
    for (let at = 0; at < token.length - 1; at += 1) {
      const other = token[at] === "A" ? "B" : "A";
      const outcome = await codeOf(token.slice(0, at) + other + token.slice(at + 1));
      expect(outcome, `character ${at}`).toBe("unauthenticated");
    }
  });

  test("a refresh token, an empty token, a token of two, four or five parts, one of 100 KB", async () => {
    const token = await signed({});
    const others = [
      "",
      ".",
      "..",
      "a.b.c",
      "rT3-opaque_refresh_token_of_43_characters__",
      `${token}.x`,
      `${token}..`,
    ];
    for (const other of [
      ...others,
      token.split(".").slice(0, 2).join("."),
      "x".repeat(100_000),
      ` ${token}`,
    ]) {
      expect(await codeOf(other)).toBe("unauthenticated");
    }
  });

  test("any text whatever is refused and never throws", async () => {
    const part = fc.oneof(
      fc.string(),
      fc.base64String(),
      fc.json().map((text) => btoa(encodeURIComponent(text))),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.tuple(part, part, part).map((parts) => parts.join(".")),
        ),
        async (text) => {
          expect(await codeOf(text)).toBe("unauthenticated");
        },
      ),
      { seed: 7, numRuns: 300 },
    );
  });
});

test("an expired token is told apart from a bad one, to the second, and only when it is ours", async () => {
  const token = await signed({});
  expect(await codeOf(token, NOW_MS + 899_999)).toBe("accepted");
  expect(await codeOf(token, NOW_MS + 900_000)).toBe("token_expired");
  expect(await codeOf(await signed({ key: await newSigningKey("current") }), NOW_MS + 900_000)).toBe(
    "unauthenticated",
  );
});

test("a remembered token is not verified again, and no longer accepted when its time is over", async () => {
  const memory = new TokenMemory<VerifiedToken>();
  const { token } = await tokensAt(NOW_MS, { memory }).issue(SUBJECT);
  expect((await tokensAt(NOW_MS, { memory }).verify(token)).ok).toBe(true);
  // A set without the token's key can only know it from memory.
  const stranger = [await newSigningKey("other")];
  expect((await tokensAt(NOW_MS, { memory, keys: stranger }).verify(token)).ok).toBe(true);
  expect(
    (await tokensAt(NOW_MS, { memory, keys: stranger }).verify(`${token.slice(0, -8)}AAAAAAAA`)).ok,
  ).toBe(false);
  expect(await tokensAt(NOW_MS + 900_000, { memory }).verify(token)).toMatchObject({
    refusal: { code: "token_expired" },
  });
  expect(memory.size).toBe(0);
});

test("a refused token is not remembered, and the memory never outgrows its bound", async () => {
  const memory = new TokenMemory<VerifiedToken>({ entriesMax: 2 });
  const tokens = tokensAt(NOW_MS, { memory });
  await tokens.verify(await signed({ claims: { aud: "elsewhere" } }));
  expect(memory.size).toBe(0);
  for (const tokenId of ["a", "b", "c"]) {
    await tokens.verify((await tokens.issue({ ...SUBJECT, tokenId })).token);
  }
  expect(memory.size).toBe(2);
});

test("long tokens make room for each other by their length", () => {
  const memory = new TokenMemory<string>({ lengthMax: 10 });
  const life = { nowMs: 0, expiresAt: 1 };
  memory.remember("aaaa", "first", life);
  memory.remember("bbbb", "second", life);
  memory.remember("bbbb", "again", life);
  expect(memory.recall("aaaa", 0)).toBe("first");
  memory.remember("ccc", "third", life);
  // Not the oldest: the one that nobody asked for.
  expect(memory.recall("bbbb", 0)).toBeNull();
  expect([memory.recall("aaaa", 0), memory.recall("ccc", 0)]).toEqual(["first", "third"]);
  memory.remember("d".repeat(11), "longer than the memory", life);
  expect(memory.size).toBe(0);
});

test("the published set has every key and no private member", () => {
  const published = new KeySet([current, previous]).published();
  expect(published.keys.map((key) => key.kid)).toEqual(["current", "previous"]);
  for (const key of published.keys) {
    expect(Object.keys(key).sort()).toEqual(["alg", "crv", "kid", "kty", "use", "x", "y"]);
  }
  expect(JSON.stringify(published)).not.toContain(current.d);
});

test("a set with two keys of one kid is refused: the kid could not choose", () => {
  expect(() => new KeySet([current, { ...previous, kid: "current" }])).toThrow(TypeError);
});
