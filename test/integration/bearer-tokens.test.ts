import { env } from "cloudflare:workers";
import { importJWK, SignJWT } from "jose";
import { expect, test, vi } from "vitest";
import { configOf } from "../../src/platform/env";
import { createAccount, createAdmin, createLoggedInAccount, PASSWORD } from "../support/accounts";
import { call } from "../support/client";

vi.setConfig({ testTimeout: 60_000 });

async function forged(claims: object, header: object = {}): Promise<string> {
  const config = configOf(env);
  const [key] = config.JWT_SIGNING_KEYS.keys;
  if (key === undefined) throw new Error("no key");
  const now = Math.floor(Date.now() / 1000);
  const payload = {
    iss: config.JWT_ISSUER,
    aud: config.JWT_AUDIENCE,
    sub: "019ab000-0000-7000-8000-000000000001",
    sid: "019ab000-0000-7000-8000-000000000002",
    role: "admin",
    epoch: 1,
    jti: "j",
    iat: now,
    exp: now + 900,
    ...claims,
  };
  return await new SignJWT(payload)
    .setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: key.kid, ...header })
    .sign(await importJWK({ ...key }, "ES256"));
}

const PATHS = ["/api/users/me", "/api/users", "/api/auth/sessions", "/api/audit"];

test("a bad token is 401 on every path that takes one, and says so by RFC 6750", async () => {
  const now = Math.floor(Date.now() / 1000);
  const tokens = {
    expired: await forged({ iat: now - 1000, exp: now - 100 }),
    foreign: await forged({ aud: "elsewhere" }),
    untyped: await forged({}, { typ: "JWT" }),
    unknownKid: await forged({}, { kid: "unknown" }),
    text: "not-a-token",
    marks: "!.{}.~",
    none: `${btoa('{"alg":"none","typ":"at+jwt"}')}.${btoa('{"sub":"x"}')}.`.replaceAll("=", ""),
  };
  for (const [name, token] of Object.entries(tokens)) {
    for (const path of PATHS) {
      const answer = await call(path, { token });
      const code = name === "expired" ? "token_expired" : "unauthenticated";
      expect([name, path, answer.status, answer.json.code]).toEqual([name, path, 401, code]);
      expect(answer.headers.get("www-authenticate")).toMatch(
        /^Bearer realm="meridian", error="invalid_token"/,
      );
    }
  }
});

test("without a token the challenge names no error", async () => {
  const answer = await call("/api/users/me");
  expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="meridian"');
});

test.each(["Basic dXNlcjpwYXNz", "Bearer", "Bearer a b", "Bearer ,", "token x"])(
  "an Authorization header of the form %s is 401",
  async (authorization) => {
    const answer = await call("/api/users/me", { headers: { Authorization: authorization } });
    expect(answer.status).toBe(401);
    expect(answer.json.code).toBe("unauthenticated");
  },
);

test("the credential endpoints take a stale bearer token for none", async () => {
  const account = await createLoggedInAccount();
  const token = await forged({ iat: 1, exp: 2 });
  const refreshed = await call("/api/auth/refresh", { token, json: { refreshToken: account.refreshToken } });
  expect(refreshed.status).toBe(200);
  expect((await call("/api/auth/password/forgot", { token, json: { email: account.email } })).status).toBe(
    202,
  );
  for (const path of ["/api/auth/password/reset", "/api/auth/email/verify"]) {
    const json = path.endsWith("verify") ? { token: "x" } : { token: "x", password: PASSWORD };
    expect((await call(path, { token, json })).json.code).toBe("token_invalid");
  }
  expect((await call("/api/auth/logout", { token, method: "POST" })).json.code).toBe("token_expired");
});

test("a refresh token is no access token, and the reverse", async () => {
  const account = await createLoggedInAccount();
  expect((await call("/api/users/me", { token: account.refreshToken })).json.code).toBe("unauthenticated");
  expect((await call("/api/auth/refresh", { json: { refreshToken: account.token } })).json.code).toBe(
    "unauthenticated",
  );
});

test("the token of a deleted user is revoked, for an admin the user is not there", async () => {
  const account = await createLoggedInAccount();
  const admin = await createAdmin();
  expect((await admin.call(`/api/users/${account.id}`, { method: "DELETE" })).status).toBe(204);
  const answer = await account.call("/api/users/me");
  expect([answer.status, answer.json.code]).toEqual([401, "token_revoked"]);
  expect((await admin.call(`/api/users/${account.id}`)).status).toBe(404);
  expect((await call("/api/auth/login", { json: { email: account.email, password: PASSWORD } })).status).toBe(
    401,
  );
});

test("a change of role voids the old token at once where it was served, and a refresh carries the new one", async () => {
  const account = await createLoggedInAccount();
  const admin = await createAdmin();
  expect((await account.call("/api/users")).status).toBe(403);
  await admin.call(`/api/users/${account.id}`, { method: "PATCH", json: { role: "admin" } });
  expect((await account.call("/api/users")).json.code).toBe("token_revoked");
  const { json } = await call("/api/auth/refresh", { json: { refreshToken: account.refreshToken } });
  expect((await call("/api/users", { token: json.accessToken })).status).toBe(200);
  await admin.call(`/api/users/${account.id}`, { method: "PATCH", json: { role: "user" } });
  expect((await call("/api/users", { token: json.accessToken })).json.code).toBe("token_revoked");
});

test("no answer, log line or row holds a password or a token in the clear", async () => {
  const lines: string[] = [];
  const watch = (...parts: unknown[]) => void lines.push(parts.join(" "));
  const spies = (["debug", "info", "warn", "error", "log"] as const).map((level) =>
    vi.spyOn(console, level).mockImplementation(watch),
  );
  const account = await createLoggedInAccount();
  const { json: pair } = await call("/api/auth/refresh", { json: { refreshToken: account.refreshToken } });
  const newPassword = "a wholly new passphrase";
  await call("/api/auth/password/change", {
    token: pair.accessToken,
    json: { currentPassword: PASSWORD, newPassword },
  });
  await call("/api/auth/login", { json: { email: account.email, password: "a guess of a password" } });
  for (const spy of spies) spy.mockRestore();
  const tables = ["users", "sessions", "refresh_tokens", "one_time_tokens", "audit_log", "outbox_events"];
  const dump = JSON.stringify([
    lines,
    await Promise.all(
      tables.map(async (table) => (await env.DB.prepare(`select * from ${table}`).all()).results),
    ),
  ]);
  expect(lines.length).toBeGreaterThan(0);
  for (const secret of [
    PASSWORD,
    newPassword,
    account.token,
    account.refreshToken,
    pair.accessToken,
    pair.refreshToken,
  ]) {
    expect(dump).not.toContain(secret);
  }
  expect(lines.join("\n")).not.toContain(account.email);
});

test("an account that signed up without a password cannot log in with an empty or any other one", async () => {
  const account = await createAccount();
  for (const password of ["null", "undefined", PASSWORD]) {
    expect((await call("/api/auth/login", { json: { email: account.email, password } })).json.code).toBe(
      "invalid_credentials",
    );
  }
});
