/** Sign-up under its budget, as a client meets it and as D1 has it afterwards. */

import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { callBy } from "../../../src/platform/call";
import { readConfig } from "../../../src/platform/env";
import { PasswordHasher } from "../../../src/platform/password-hasher";
import { wire } from "../../../src/wiring";
import { createAccount, freshEmail, PASSWORD } from "../../support/accounts";
import { sendCounted, tickCounted } from "../../support/counted-app";
import { rowsOf } from "../../support/outbox";
import { testScope } from "../../support/scope";

vi.setConfig({ testTimeout: 60_000 });

interface Person {
  readonly email: string;
  readonly password?: string;
}

const overrides = (limit: number) =>
  ({
    RATE_LIMIT_MAX: "100000",
    AUTH_BUDGETS: JSON.stringify({ signUpPerIp: { limit, windowSeconds: 900 } }),
  }) as unknown as Partial<Env>;

/** Addresses are used once: the isolate of these tests remembers who was refused. */
function signUp(person: Person, from: string, { limit, key }: { limit: number; key?: string }) {
  const headers = new Headers({ "Content-Type": "application/json", "CF-Connecting-IP": from });
  if (key !== undefined) headers.set("Idempotency-Key", key);
  const body = JSON.stringify({ name: "Ada Lovelace", ...person });
  const request = new Request("https://meridian.example/api/users", { method: "POST", headers, body });
  return sendCounted(request, overrides(limit));
}

const TABLES = [
  "users",
  "user_profiles",
  "outbox_events",
  "event_deliveries",
  "audit_log",
  "idempotency_records",
];

async function sizes(): Promise<Record<string, number>> {
  const counts = TABLES.map((table) => `(select count(*) from ${table}) as ${table}`);
  const [row] = await rowsOf<Record<string, number>>(`select ${counts.join(", ")}`);
  return row ?? {};
}

async function charges(): Promise<number> {
  const [row] = await rowsOf<{ n: number }>("select coalesce(sum(count), 0) as n from attempt_counts");
  return row?.n ?? -1;
}

test("of two hundred sign-ups at once from one address the limit pass, and the refused write nothing", async () => {
  const answers = await Promise.all(
    Array.from({ length: 200 }, () => signUp({ email: freshEmail() }, "198.51.100.1", { limit: 20 })),
  );
  const statuses = answers.map(({ response }) => response.status);
  expect(statuses.filter((status) => status === 201)).toHaveLength(20);
  expect(statuses.filter((status) => status === 429)).toHaveLength(180);
  expect(await sizes()).toMatchObject({ users: 20, user_profiles: 20, outbox_events: 20, audit_log: 20 });
  expect(await charges()).toBe(20);
});

test("a taken address is charged as a free one is, and nobody learns of it beyond the limit", async () => {
  const { email } = await createAccount();
  const before = await sizes();
  const codes: string[] = [];
  for (const address of [email, email.toUpperCase(), freshEmail(), email]) {
    const { response } = await signUp({ email: address }, "198.51.100.2", { limit: 2 });
    codes.push((await response.json<{ code: string }>()).code);
  }
  expect(codes).toEqual(["email_taken", "email_taken", "rate_limited", "rate_limited"]);
  expect(await sizes()).toEqual(before);
});

test("a sign-up is one D1 round trip; one that the isolate knows to refuse is none, and hashes no password", async () => {
  const from = "198.51.100.3";
  const first = await signUp({ email: freshEmail() }, from, { limit: 1 });
  expect(first.response.status).toBe(201);
  expect(first.before).toMatchObject({ d1RoundTrips: 1, objectCalls: 1 });
  const hash = vi.spyOn(PasswordHasher.prototype, "hash");
  const refused = await signUp({ email: freshEmail(), password: PASSWORD }, from, { limit: 1 });
  expect(hash).not.toHaveBeenCalled();
  hash.mockRestore();
  expect(refused.response.status).toBe(429);
  expect(refused.before).toMatchObject({ d1RoundTrips: 0 });
  const retryAfter = Number(refused.response.headers.get("retry-after"));
  expect(retryAfter).toBeGreaterThanOrEqual(900);
  expect(retryAfter).toBeLessThanOrEqual(960);
  expect(await refused.response.json()).toMatchObject({ "violated-policies": [{ policy: "signUpPerIp" }] });
});

test("under a key a refusal stays charged, frees the key and takes two round trips; a replay spends nothing", async () => {
  const from = "198.51.100.4";
  const { email } = await createAccount();
  const chargedBefore = await charges();
  const taken = await signUp({ email }, from, { limit: 2, key: "once" });
  expect([taken.response.status, taken.before.d1RoundTrips]).toEqual([409, 2]);
  expect(await charges()).toBe(chargedBefore + 1);
  expect(await sizes()).toMatchObject({ idempotency_records: 0, users: 1 });

  const person = { email: freshEmail() };
  const made = await signUp(person, from, { limit: 2, key: "once" });
  expect([made.response.status, made.before.d1RoundTrips]).toEqual([201, 2]);
  const refused = await signUp({ email: freshEmail() }, from, { limit: 2, key: "another" });
  expect(refused.response.status).toBe(429);
  const replayed = await signUp(person, from, { limit: 2, key: "once" });
  expect(replayed.response.status).toBe(201);
  expect(replayed.response.headers.get("idempotency-replayed")).toBe("true");
  expect(await replayed.response.text()).toBe(await made.response.text());
  expect(await charges()).toBe(chargedBefore + 2);
  expect(await sizes()).toMatchObject({ idempotency_records: 1, users: 2 });
});

test("an answer that D1 refuses is not recorded under the key, and the key is free at once", async () => {
  const from = "198.51.100.5";
  await signUp({ email: freshEmail() }, from, { limit: 2 });
  // Another isolate has spent the rest: this one asks.
  await env.DB.prepare("update attempt_counts set count = 2").run();
  const refused = await signUp({ email: freshEmail() }, from, { limit: 2, key: "once" });
  expect([refused.response.status, refused.before.d1RoundTrips]).toEqual([429, 2]);
  expect(await sizes()).toMatchObject({ idempotency_records: 0, users: 1, outbox_events: 1 });
});

test("of many sign-ups at once with one address one is made, and each is charged", async () => {
  const person = { email: freshEmail() };
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => signUp(person, "198.51.100.6", { limit: 20 })),
  );
  const statuses = answers.map(({ response }) => response.status).sort();
  expect(statuses).toEqual([201, ...Array(9).fill(409)]);
  expect(await charges()).toBe(10);
  expect(await sizes()).toMatchObject({ users: 1, outbox_events: 1, audit_log: 1 });
});

test("whoever hangs up is charged all the same", async () => {
  const pending: Promise<unknown>[] = [];
  const scope = {
    ...testScope(Date.now),
    caller: { address: "198.51.100.7", userAgent: null, cf: null },
    waitUntil: (work: Promise<unknown>) => void pending.push(work),
  };
  const { users } = wire(env, readConfig(env), scope);
  const { promise: hashed, resolve: finishHash } = Promise.withResolvers<string>();
  const hash = vi.spyOn(PasswordHasher.prototype, "hash").mockReturnValue(hashed);
  void users
    .signUp(callBy(), { name: "Ada Lovelace", email: freshEmail(), password: PASSWORD })
    .catch(() => undefined);
  await vi.waitFor(() => expect(hash).toHaveBeenCalled());
  // All that the runtime keeps once the client is gone.
  const kept = [...pending];
  finishHash("a hash");
  await Promise.all(kept);
  hash.mockRestore();
  expect(await charges()).toBe(1);
});

test("the cron takes away the counts that have left their window", async () => {
  await signUp({ email: freshEmail() }, "198.51.100.8", { limit: 2 });
  await tickCounted();
  expect(await charges()).toBe(1);
  await env.DB.prepare("update attempt_counts set bucket_ends_at = 1").run();
  await tickCounted();
  expect(await charges()).toBe(0);
});

test("when D1 fails sign-up is unavailable", async () => {
  const failing = {
    withSession: () => ({
      prepare: (query: string) => env.DB.prepare(query),
      batch: async () => {
        throw new Error("D1_ERROR: no");
      },
      getBookmark: () => null,
    }),
  } as unknown as D1Database;
  const body = JSON.stringify({ name: "Ada Lovelace", email: freshEmail() });
  const headers = { "Content-Type": "application/json", "CF-Connecting-IP": "198.51.100.9" };
  const request = new Request("https://meridian.example/api/users", { method: "POST", headers, body });
  const { response } = await sendCounted(request, { DB: failing });
  expect(response.status).toBe(503);
});
