import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import { newId } from "../../src/platform/clock";
import worker from "../../src/worker";
import { createAccount, createAdmin } from "../support/accounts";
import { call } from "../support/client";
import { sendCounted } from "../support/counted-app";
import { type StoredUser, storeUser } from "../support/stored-user";

const MADE_UP = `ffffffff-ffffffff-ffffffff-${"f".repeat(32)}`;

function get(user: StoredUser, headers: Record<string, string> = {}, overrides: Partial<Env> = {}) {
  const request = new Request(`https://meridian.example/api/users/${user.id}`, {
    headers: { Authorization: `Bearer ${user.token}`, ...headers },
  });
  return sendCounted(request, overrides);
}

/** What lies in KV for the user. */
async function stored(userId: string): Promise<Record<string, unknown> | null> {
  return await env.USER_CACHE.get<Record<string, unknown>>(`user:${userId}`, "json");
}

/** The same once a write of `call` has come there, which it does after its response; null is a deletion's tombstone. */
async function storedAt(userId: string, version: number | null): Promise<Record<string, unknown> | null> {
  return await vi.waitFor(async () => {
    const entry = await stored(userId);
    expect(entry).toMatchObject({ value: version === null ? null : { user: { version } } });
    return entry;
  });
}

describe("a user that is read again", () => {
  test("costs no D1 call, and nothing at all while memory is fresh", async () => {
    const ada = await storeUser();
    const cold = await get(ada);
    expect(cold.before).toMatchObject({ d1RoundTrips: 1, d1Statements: 1, kvReads: 1 });
    const warm = await get(ada);
    expect(warm.response.status).toBe(200);
    expect([warm.before, warm.after]).toMatchObject([NOTHING, NOTHING]);
  });

  test("costs one KV read where memory does not know it", async () => {
    const [ada, grace] = [await createAccount(), await storeUser()];
    // Another isolate's view: what lies in KV for Ada, under an id that this one has never read.
    const entry = await storedAt(ada.id, 1);
    const account = Object(entry?.value);
    const value = { ...account, user: { ...account.user, id: grace.id, name: "From KV" } };
    await env.USER_CACHE.put(`user:${grace.id}`, JSON.stringify({ ...entry, value }));
    const { response, before } = await get(grace, {}, { SERVER_TIMING: "all" } as Partial<Env>);
    expect(await response.json()).toMatchObject({ id: grace.id, name: "From KV" });
    expect(response.headers.get("server-timing")).toMatch(/^cache;desc="kv", d1;desc="0", kv;desc="1", /);
    expect(before).toMatchObject({ d1RoundTrips: 0, kvReads: 1 });
  });

  test("is answered 304 from the cached version alone, without D1", async () => {
    const ada = await storeUser();
    const etag = (await get(ada)).response.headers.get("etag") ?? "";
    const { response, before } = await get(ada, { "If-None-Match": etag });
    expect(response.status).toBe(304);
    expect(before.d1RoundTrips).toBe(0);
    expect(response.headers.get("cache-control")).toBe("private, no-cache");
    expect(response.headers.get("vary")).toContain("Authorization");
    expect(response.headers.get("etag")).toBe(etag);
  });
});

// How many of them read D1 depends on how long a read lasts: `shared-reads.test.ts` decides that.
test("requests that miss at once, each in a context of its own, answer all: nobody waits for another's promise", async () => {
  const [admin, ada] = [await createAdmin(), await storeUser()];
  const answers = await Promise.all(Array.from({ length: 12 }, () => admin.call(`/api/users/${ada.id}`)));
  expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200));
  const timings = answers.map(({ headers }) => headers.get("server-timing") ?? "");
  const reads = timings.filter((timing) => timing.includes('d1;desc="1"')).length;
  expect(reads).toBeGreaterThan(0);
  expect(timings.filter((timing) => timing.includes('cache;desc="memory"'))).toHaveLength(12 - reads);
});

describe("a bookmark", () => {
  test("of the own write is honoured by memory, KV and D1", async () => {
    const ada = await createAccount();
    const patched = await ada.call(`/api/users/${ada.id}`, { method: "PATCH", json: { name: "Ada King" } });
    const bookmark = patched.headers.get("x-d1-bookmark") ?? "";
    const read = await ada.call(`/api/users/${ada.id}`, { headers: { "X-D1-Bookmark": bookmark } });
    expect(read.json).toMatchObject({ name: "Ada King", version: 2 });
  });

  test("passes by what KV shows from before, and puts the primary's row over it", async () => {
    const ada = await storeUser();
    await get(ada);
    const before = JSON.stringify(await stored(ada.id));
    // Another isolate changed her; its put has not arrived here, nor does this memory know.
    await env.DB.prepare("update users set name = 'Ada King', version = 2 where id = ?").bind(ada.id).run();
    const session = env.DB.withSession("first-primary");
    await session.prepare("select 1").run();
    const bookmark = session.getBookmark() ?? "";
    const answer = await get(ada, { "X-D1-Bookmark": bookmark });
    expect(await answer.response.json()).toMatchObject({ name: "Ada King", version: 2 });
    expect(answer.before).toMatchObject({ d1RoundTrips: 1 });
    expect(JSON.stringify(await stored(ada.id))).not.toBe(before);
    expect(await stored(ada.id)).toMatchObject({ value: { user: { version: 2 } } });
  });

  test("that nobody gave out costs its sender a read of the primary, and nobody a KV write", async () => {
    const ada = await storeUser();
    await get(ada);
    const kept = await stored(ada.id);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const { response, before, after } = await get(ada, { "X-D1-Bookmark": MADE_UP });
      expect(response.status).toBe(200);
      expect(before.d1RoundTrips).toBe(1);
      expect(before.kvWrites + after.kvWrites).toBe(0);
    }
    expect(await stored(ada.id)).toEqual(kept);
    const honest = await get(ada);
    expect(honest.before.d1RoundTrips).toBe(0);
    expect(honest.response.headers.get("x-d1-bookmark")).toBeNull();
  });

  test("comes with writes, also with those that were refused, and never with reads", async () => {
    const ada = await createAccount();
    const path = `/api/users/${ada.id}`;
    const stale = await ada.call(path, {
      method: "PATCH",
      headers: { "If-Match": '"7"' },
      json: { name: "Eve" },
    });
    expect(stale.status).toBe(412);
    expect(stale.headers.get("x-d1-bookmark")).toMatch(/^[0-9a-f-]{59}$/);
    expect((await ada.call(path)).headers.get("x-d1-bookmark")).toBeNull();
  });
});

describe("what does not exist", () => {
  test("is remembered in memory, and never put into KV", async () => {
    const [admin, ghost] = [await storeUser("admin"), newId()];
    const ask = { id: ghost, email: "", token: admin.token };
    const first = await get(ask);
    expect(first.response.status).toBe(404);
    expect(first.before.kvWrites + first.after.kvWrites).toBe(0);
    const second = await get(ask);
    expect(second.response.status).toBe(404);
    expect(second.before).toMatchObject({ d1RoundTrips: 0, kvReads: 0 });
  });

  test("but lies in KV is buried, when a client with a bookmark has found it gone", async () => {
    const [admin, ada] = [await storeUser("admin"), await createAccount()];
    const kept = JSON.stringify({ ...(await storedAt(ada.id, 1)), bookmark: null });
    await env.DB.prepare("delete from users where id = ?").bind(ada.id).run();
    const session = env.DB.withSession("first-primary");
    await session.prepare("select 1").run();
    await env.USER_CACHE.put(`user:${ada.id}`, kept);
    const asked = { ...ada, token: admin.token };
    const gone = await get(asked, { "X-D1-Bookmark": session.getBookmark() ?? "" });
    expect(gone.response.status).toBe(404);
    expect(await stored(ada.id)).toMatchObject({ value: null });
  });

  test("a deletion leaves a tombstone, which answers without D1", async () => {
    const [admin, ada] = [await createAdmin(), await createAccount()];
    const deleted = await admin.call(`/api/users/${ada.id}`, { method: "DELETE" });
    expect(deleted.status).toBe(204);
    const gone = await admin.call(`/api/users/${ada.id}`);
    expect(gone.status).toBe(404);
    expect(gone.headers.get("server-timing")).toContain('cache;desc="memory", d1;desc="0"');
    await storedAt(ada.id, null);
  });
});

describe("Server-Timing", () => {
  test("shows admins where a user came from and what it took", async () => {
    const [admin, ada] = [await createAdmin(), await storeUser()];
    const path = `/api/users/${ada.id}`;
    const seen: string[] = [];
    for (const headers of [{}, {}, { "X-D1-Bookmark": MADE_UP }] as Record<string, string>[]) {
      seen.push((await admin.call(path, { headers })).headers.get("server-timing") ?? "");
    }
    expect(seen[0]).toMatch(/^cache;desc="miss", d1;desc="1", kv;desc="1", do;desc="\d"$/);
    expect(seen[1]).toMatch(/^cache;desc="memory", d1;desc="0", kv;desc="0", do;desc="\d"$/);
    expect(seen[2]).toMatch(/^cache;desc="stale-refused", d1;desc="1", kv;desc="1", do;desc="\d"$/);
  });

  test("is kept from all others, unless SERVER_TIMING says all", async () => {
    const ada = await storeUser();
    expect((await get(ada)).response.headers.get("server-timing")).toBeNull();
    const { response } = await get(ada, {}, { SERVER_TIMING: "all" } as Partial<Env>);
    expect(response.headers.get("server-timing")).toContain("cache;desc=");
    expect((await call("/healthz")).headers.get("server-timing")).toBeNull();
  });
});

/** Of what the cache asks; the object is the limiter's. */
const NOTHING = { d1RoundTrips: 0, d1Statements: 0, kvReads: 0, kvWrites: 0, queueSends: 0 };

describe("the refresh that follows a change", () => {
  async function deliverRefresh(userId: string): Promise<void> {
    const event = await env.DB.prepare(
      "select id from outbox_events where subject = ? order by sequence desc",
    )
      .bind(userId)
      .first<{ id: string }>();
    const body = { eventId: event?.id, consumer: "cache-refresh" };
    const message = { id: "1", timestamp: new Date(), attempts: 1, body };
    const batch = createMessageBatch("meridian-events", [message]);
    const context = createExecutionContext();
    await worker.queue(batch, env, context);
    const { explicitAcks } = await getQueueResult(batch, context);
    expect(explicitAcks).toEqual(["1"]);
  }

  test("overwrites what a slow reader put back", async () => {
    const ada = await createAccount();
    const slow = JSON.stringify(await storedAt(ada.id, 1));
    await ada.call(`/api/users/${ada.id}`, { method: "PATCH", json: { name: "Ada King" } });
    await storedAt(ada.id, 2);
    await env.USER_CACHE.put(`user:${ada.id}`, slow);
    expect(await stored(ada.id)).toMatchObject({ value: { user: { version: 1 } } });
    await deliverRefresh(ada.id);
    expect(await stored(ada.id)).toMatchObject({ value: { user: { version: 2, name: "Ada King" } } });
  });

  test("buries a deleted user whom a slow reader put back", async () => {
    const [admin, ada] = [await createAdmin(), await createAccount()];
    const slow = JSON.stringify(await storedAt(ada.id, 1));
    await admin.call(`/api/users/${ada.id}`, { method: "DELETE" });
    await storedAt(ada.id, null);
    await env.USER_CACHE.put(`user:${ada.id}`, slow);
    await deliverRefresh(ada.id);
    expect(await stored(ada.id)).toMatchObject({ value: null });
  });
});
