import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestHarness } from "wrangler";
import { TEST_SECRETS } from "../support/secrets";
import { testServer } from "../support/server-output";

const ISSUER = "https://login.example.com/";

let fetches = 0;
let jwks: object = {};
const issuer = createServer((_, response) => {
  fetches += 1;
  response.setHeader("Content-Type", "application/json").end(JSON.stringify(jwks));
});

let server: TestHarness;
let key: Awaited<ReturnType<typeof generateKeyPair>>["privateKey"];

beforeAll(async () => {
  const pair = await generateKeyPair("RS256");
  key = pair.privateKey;
  jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: "r1", use: "sig", alg: "RS256" }] };
  await new Promise<void>((resolve) => issuer.listen(0, "127.0.0.1", resolve));
  const { port } = issuer.address() as AddressInfo;
  const entry = {
    issuer: ISSUER,
    jwksUrl: `http://127.0.0.1:${port}/jwks.json`,
    audience: "meridian",
    createUsers: true,
  };
  server = testServer({
    workers: [
      {
        configPath: "./wrangler.toml",
        secrets: { ...TEST_SECRETS, TRUSTED_ISSUERS: JSON.stringify([entry]) },
      },
    ],
  });
  await server.listen();
  await server.getWorker<Env>().applyD1Migrations("DB");
});
afterAll(async () => {
  await server.close();
  issuer.close();
});

function token(claims: object = {}, kid = "r1"): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const payload = { email: "ada@example.com", email_verified: true, name: "Ada Lovelace", ...claims };
  return new SignJWT(payload)
    .setProtectedHeader({ alg: "RS256", kid })
    .setIssuer(ISSUER)
    .setAudience("meridian")
    .setSubject("auth0|1")
    .setIssuedAt(now - 5)
    .setExpirationTime(now + 3_600)
    .sign(key);
}

const call = (path: string, bearer: string, method = "GET") =>
  server.fetch(path, {
    method,
    headers: { Authorization: `Bearer ${bearer}`, "CF-Connecting-IP": "203.0.113.9" },
  });

test("a token of a trusted issuer is good at every endpoint, until its user logs out with it", async () => {
  const bearer = await token();
  const me = await call("/api/users/me", bearer);
  expect(me.status).toBe(200);
  expect(await me.json()).toMatchObject({ email: "ada@example.com", emailVerified: true, role: "user" });
  const sessions = await call("/api/auth/sessions", bearer);
  expect(await sessions.json()).toEqual({ data: [], nextCursor: null });
  expect((await call("/api/users", bearer)).status).toBe(403);
  expect(fetches).toBe(1);

  expect((await call("/api/auth/logout", bearer, "POST")).status).toBe(204);
  const after = await call("/api/users/me", bearer);
  expect(after.status).toBe(401);
  expect(await after.json()).toMatchObject({ code: "token_revoked" });
});

test("made-up key ids do not make the Worker fetch in a loop", async () => {
  const before = fetches;
  for (let index = 0; index < 20; index += 1) {
    const answer = await call("/api/users/me", await token({}, `made-up-${index}`));
    expect(answer.status).toBe(401);
  }
  expect(fetches - before).toBeLessThanOrEqual(1);
});
