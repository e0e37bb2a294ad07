import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import jwt from "jsonwebtoken";
import { JwksClient } from "jwks-rsa";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { readSet, rotated } from "../../scripts/key-rotation.mjs";
import { TEST_SECRETS } from "../support/secrets";
import { testServer } from "../support/server-output";

const PASSWORD = "correct horse battery staple";
const server = testServer({
  workers: [{ configPath: "./wrangler.toml", secrets: TEST_SECRETS }],
});

beforeAll(async () => {
  await server.listen();
  await server.getWorker<Env>().applyD1Migrations("DB");
});
afterAll(async () => await server.close());

function post(path: string, json: object) {
  return server.fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "CF-Connecting-IP": "203.0.113.5" },
    body: JSON.stringify(json),
  });
}

async function logIn(
  email: string,
): Promise<{ accessToken: string; refreshToken: string; user: { id: string } }> {
  await post("/api/users", { name: "Ada Lovelace", email, password: PASSWORD });
  const answer = await post("/api/auth/login", { email, password: PASSWORD });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Awaited<ReturnType<typeof logIn>>;
}

function keyFor(token: string): Promise<string> {
  const client = new JwksClient({
    jwksUri: "https://meridian.example/.well-known/jwks.json",
    fetcher: async () => (await (await server.fetch("/.well-known/jwks.json")).json()) as { keys: object[] },
  });
  const kid = jwt.decode(token, { complete: true })?.header.kid;
  return client.getSigningKey(kid).then((key) => key.getPublicKey());
}

test("a token verifies with another library, by a key out of the published set", async () => {
  const { accessToken, user } = await logIn("jwks@example.com");
  const claims = jwt.verify(accessToken, await keyFor(accessToken), {
    algorithms: ["ES256"],
    issuer: "https://meridian.example",
    audience: "meridian",
    complete: true,
  });
  expect(claims.header).toMatchObject({ alg: "ES256", typ: "at+jwt" });
  expect(claims.payload).toMatchObject({ sub: user.id, role: "user", epoch: 1 });
  const [header, payload] = accessToken.split(".");
  expect(() => jwt.verify(`${header}.${payload}.AAAA`, "x", { algorithms: ["ES256"] })).toThrow();
});

test("the published set may be cached and holds no private member", async () => {
  const answer = await server.fetch("/.well-known/jwks.json");
  expect(answer.status).toBe(200);
  expect(answer.headers.get("cache-control")).toMatch(/^public, max-age=\d+$/);
  const text = await answer.text();
  expect(text).not.toContain('"d"');
  for (const key of JSON.parse(TEST_SECRETS.JWT_SIGNING_KEYS).keys) expect(text).not.toContain(key.d);
});

test("a token that another library signs with HS256 and the public key is refused", async () => {
  const { accessToken } = await logIn("confusion@example.com");
  const key = await keyFor(accessToken);
  const { header, payload } = jwt.decode(accessToken, { complete: true }) ?? { header: {}, payload: {} };
  const input = [{ ...header, alg: "HS256" }, payload].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url"),
  );
  const { createHmac } = await import("node:crypto");
  const forged = `${input.join(".")}.${createHmac("sha256", key).update(input.join(".")).digest("base64url")}`;
  const answer = await server.fetch("/api/users/me", { headers: { Authorization: `Bearer ${forged}` } });
  expect(answer.status).toBe(401);
});

test("of twenty refreshes at once from one address all twenty hold a working session, and one family exists", async () => {
  const { refreshToken } = await logIn("tabs@example.com");
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => post("/api/auth/refresh", { refreshToken })),
  );
  expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(200));
  const pairs = (await Promise.all(answers.map((answer) => answer.json()))) as Awaited<
    ReturnType<typeof logIn>
  >[];
  expect(new Set(pairs.map((pair) => pair.refreshToken)).size).toBe(1);
  for (const { accessToken } of pairs) {
    const me = await server.fetch("/api/users/me", { headers: { Authorization: `Bearer ${accessToken}` } });
    expect(me.status).toBe(200);
  }
  const sessions = await server.fetch("/api/auth/sessions", {
    headers: { Authorization: `Bearer ${pairs[0]?.accessToken}` },
  });
  expect(((await sessions.json()) as { data: unknown[] }).data).toHaveLength(1);
});

test("a rotation signs with the key that was published before, and keeps what signed until now", () => {
  const names = (set: { keys: { kid: string }[] }) => set.keys.map((key) => key.kid);
  let made = 0;
  const newKey = () => {
    made += 1;
    return { kid: `k${made}` };
  };
  const first = rotated({ keys: [{ kid: "old" }] }, newKey);
  expect(names(first)).toEqual(["k1", "k2", "old"]);
  const second = rotated(first, newKey);
  expect(names(second)).toEqual(["k2", "k3", "k1", "old"]);
  const third = rotated(second, newKey);
  expect(names(third)).toEqual(["k3", "k4", "k2", "k1"]);
});

test("the command writes the new set in place, for its owner alone to read, and prints no private part", () => {
  const folder = mkdtempSync(join(tmpdir(), "meridian-keys-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, ".dev.vars");
  writeFileSync(path, `DATA_KEY=a$&b\nJWT_SIGNING_KEYS=${TEST_SECRETS.JWT_SIGNING_KEYS}\nEVENTS_TOKEN=x\n`);
  const output = execFileSync(process.execPath, ["scripts/keys.mjs", "rotate", "--file", path], {
    encoding: "utf8",
  });
  const text = readFileSync(path, "utf8");
  expect(text).toMatch(/^DATA_KEY=a\$&b\nJWT_SIGNING_KEYS=\{.*\}\nEVENTS_TOKEN=x\n$/);
  const { keys } = readSet(text);
  expect(keys).toHaveLength(3);
  expect(keys[2]?.kid).toBe("test-1");
  for (const key of keys) expect(output).not.toContain(key.d);
  expect(output).toContain(keys[0]?.kid);
  expect(statSync(path).mode & 0o077).toBe(0);
});
