import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { callBy } from "../../src/platform/call";
import { configOf } from "../../src/platform/env";
import { wire } from "../../src/wiring";
import { authDependencies } from "../support/auth-dependencies";
import { settled, TEST_NOW_MS, testScope } from "../support/scope";

const DAY_MS = 86_400_000;
const USER_ID = "019ab000-0000-7000-8000-000000000001";

async function insertSession(id: string, expiresAt: number, tokens: number, userId = USER_ID): Promise<void> {
  await env.DB.prepare(
    "insert into sessions (id, user_id, device, created_at, last_seen_at, expires_at) values (?, ?, 'x', 1, 1, ?)",
  )
    .bind(id, userId, expiresAt)
    .run();
  for (let index = 0; index < tokens; index += 1) {
    await env.DB.prepare("insert into refresh_tokens (digest, session_id, created_at) values (?, ?, 1)")
      .bind(`${id}-${index}`, id)
      .run();
  }
}

async function insertOneTimeToken(id: string, expiresAt: number): Promise<void> {
  await env.DB.prepare(
    "insert into one_time_tokens (id, digest, user_id, purpose, address_key, created_at, expires_at) values (?1, ?1, ?2, 'password_reset', 'a', 1, ?3)",
  )
    .bind(id, USER_ID, expiresAt)
    .run();
}

async function ids(table: string, column = "id"): Promise<string[]> {
  const { results } = await env.DB.prepare(`select ${column} as id from ${table} order by 1`).all<{
    id: string;
  }>();
  return results.map((row) => row.id);
}

test("what expired over a day ago goes, what did not stays, and a second run finds nothing", async () => {
  await insertSession("old", TEST_NOW_MS - DAY_MS, 3);
  await insertSession("young", TEST_NOW_MS - DAY_MS + 1, 2);
  await insertOneTimeToken("old", TEST_NOW_MS - DAY_MS);
  await insertOneTimeToken("young", TEST_NOW_MS - DAY_MS + 1);
  const { auth } = wire(env, configOf(env), testScope());
  expect(await auth.removeExpired()).toEqual({ removed: 5 });
  expect(await ids("sessions")).toEqual(["young"]);
  expect(await ids("refresh_tokens", "digest")).toEqual(["young-0", "young-1"]);
  expect(await ids("one_time_tokens")).toEqual(["young"]);
  expect(await auth.removeExpired()).toEqual({ removed: 0 });
});

test("a chain longer than one run is removed over several, its session last", async () => {
  await insertSession("long", 1, 1);
  await env.DB.prepare(
    `insert into refresh_tokens select 'many-' || value, 'long', 1, 1 from
     (with recursive n(value) as (select 1 union all select value + 1 from n where value < 6000) select value from n)`,
  ).run();
  const scope = testScope();
  const { auth } = wire(env, configOf(env), scope);
  const first = await auth.removeExpired();
  expect(first.removed).toBe(5_000);
  expect(scope.calls.d1RoundTrips).toBe(10);
  expect(await ids("sessions")).toEqual(["long"]);
  await auth.removeExpired();
  expect(await ids("sessions")).toEqual([]);
  expect(await ids("refresh_tokens", "digest")).toEqual([]);
});

test("identities without a user go in bounded steps, and those of users stay", async () => {
  for (const [subject, orphanedAt] of [
    ["a", 1],
    ["b", 2],
    ["c", 3],
    ["d", TEST_NOW_MS],
    ["e", null],
  ]) {
    await env.DB.prepare(
      "insert into foreign_identities (issuer, subject, user_id, created_at, orphaned_at) values ('i', ?, 'u', 1, ?)",
    )
      .bind(subject, orphanedAt)
      .run();
  }
  const { database, identities } = authDependencies(env, configOf(env), testScope());
  const {
    rows: [removed],
  } = await database.commit([identities.removeOrphaned(TEST_NOW_MS - DAY_MS, 2)]);
  expect(removed).toHaveLength(2);
  expect(await ids("foreign_identities", "subject")).toEqual(["c", "d", "e"]);
  const { auth } = wire(env, configOf(env), testScope());
  expect(await auth.removeExpired()).toEqual({ removed: 1 });
  expect(await ids("foreign_identities", "subject")).toEqual(["d", "e"]);
});

test("ending a session reads that user's sessions, however many others have", async () => {
  await env.DB.prepare(
    `insert into sessions (id, user_id, device, created_at, last_seen_at, expires_at)
     select 'other-' || value, 'other-' || value, 'x', 1, 1, 9999999999999 from
     (with recursive n(value) as (select 1 union all select value + 1 from n where value < 2000) select value from n)`,
  ).run();
  await insertSession("mine", TEST_NOW_MS + DAY_MS, 1);
  const scope = testScope();
  const { auth } = wire(env, configOf(env), scope);
  const actor = { kind: "user", userId: USER_ID, role: "user", sessionId: "mine" } as const;
  expect((await auth.logOut(callBy(actor))).ok).toBe(true);
  expect(scope.calls.d1RowsRead).toBeLessThan(100);
  const { results } = await env.DB.prepare("select * from outbox_events where type = 'session.ended'").all();
  expect(results).toHaveLength(1);
  await settled();
});

test("of a deleted user's sessions and tokens nothing is left, and another's are untouched", async () => {
  await insertSession("mine", TEST_NOW_MS + DAY_MS, 2);
  await insertSession("theirs", TEST_NOW_MS + DAY_MS, 1, "another");
  await insertOneTimeToken("mine", TEST_NOW_MS + DAY_MS);
  const { database } = authDependencies(env, configOf(env), testScope());
  const { auth } = wire(env, configOf(env), testScope());
  const [first, ...rest] = auth.erasureOf(USER_ID);
  if (first === undefined) throw new Error("nothing to erase");
  await database.commit([first, ...rest]);
  expect(await ids("sessions")).toEqual(["theirs"]);
  expect(await ids("refresh_tokens", "digest")).toEqual(["theirs-0"]);
  expect(await ids("one_time_tokens")).toEqual([]);
});
