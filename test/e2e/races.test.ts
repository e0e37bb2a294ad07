/**
 * Races, over HTTP against the built Worker: there requests that arrive together share an isolate, its leases and the
 * promises that they wait on, as they do when deployed.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { TEST_SECRETS } from "../support/secrets";
import { testServer } from "../support/server-output";

const server = testServer({
  workers: [{ configPath: "./wrangler.toml", secrets: TEST_SECRETS }],
});

beforeAll(async () => {
  await server.listen();
  await server.getWorker<Env>().applyD1Migrations("DB");
});
afterAll(async () => await server.close());

const PASSWORD = "correct horse battery staple";
const AT_ONCE = 20;

async function send(method: string, path: string, json: unknown, headers: Record<string, string> = {}) {
  const response = await server.fetch(path, {
    method,
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(json),
  });
  // The answers of the API are checked one by one where they matter.
  // biome-ignore lint/suspicious/noExplicitAny: a test reads any member
  return { status: response.status, body: (await response.json()) as any };
}

async function atOnce<T>(work: (index: number) => Promise<T>): Promise<T[]> {
  return await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => work(index)));
}

function tally(statuses: readonly number[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

async function logIn(email: string) {
  const created = await send("POST", "/api/users", { name: "Ada Lovelace", email, password: PASSWORD });
  const { body } = await send("POST", "/api/auth/login", { email, password: PASSWORD });
  const bearer = { Authorization: `Bearer ${body.accessToken}` };
  return { id: created.body.id as string, bearer };
}

test("of many sign-ups at once with one address one succeeds", async () => {
  const answers = await atOnce(() =>
    send("POST", "/api/users", { name: "Ada Lovelace", email: "one@example.com" }),
  );
  expect(tally(answers.map(({ status }) => status))).toEqual({ 201: 1, 409: AT_ONCE - 1 });
});

test("of many PATCHes at once with one If-Match exactly one is applied, and nobody meets an error", async () => {
  const { id, bearer } = await logIn("patches@example.com");
  const headers = { ...bearer, "If-Match": '"1"' };
  const answers = await atOnce((index) => send("PATCH", `/api/users/${id}`, { age: index + 1 }, headers));
  expect(tally(answers.map(({ status }) => status))).toEqual({ 200: 1, 412: AT_ONCE - 1 });
  const winner = answers.find(({ status }) => status === 200);
  const after = await server.fetch(`/api/users/${id}`, { headers: bearer });
  expect(await after.json()).toMatchObject({ version: 2, age: winner?.body.age });
});

test("of one request sent many times at once under one key, one takes effect and all who are answered get the same", async () => {
  const json = { name: "Ada Lovelace", email: "key@example.com" };
  const once = () => send("POST", "/api/users", json, { "Idempotency-Key": "race" });
  const answers = await atOnce(once);
  const created = answers.filter(({ status }) => status === 201);
  expect(created.length).toBeGreaterThanOrEqual(1);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(AT_ONCE - created.length);
  for (const { status, body } of answers)
    if (status === 409) expect(body.code).toBe("idempotency_in_progress");
  const later = await atOnce(once);
  for (const { status, body } of [...created, ...later]) {
    expect(status).toBe(201);
    expect(body).toEqual(created[0]?.body);
  }
});
