import { env } from "cloudflare:workers";
import fc from "fast-check";
import { expect, test } from "vitest";
import { NO_PRECONDITION, type Precondition } from "../../../src/kernel/entity-tag";
import { callBy } from "../../../src/platform/call";
import { configOf } from "../../../src/platform/env";
import { patchedUser } from "../../../src/services/users/changes";
import { toAccount, UserRepository } from "../../../src/services/users/repository";
import { UserService } from "../../../src/services/users/service";
import { newUserMemory, UserCache } from "../../../src/services/users/user-cache";
import { foundationsOf } from "../../../src/wiring";
import { createAccount, createAdmin, freshEmail } from "../../support/accounts";
import { call, freshAddress } from "../../support/client";
import { ADMIN, codeOf, countOf, newTestId, openShop } from "../../support/orders";
import { TestClock } from "../../support/outbox";
import { testScope } from "../../support/scope";

test("a sign-up sent again under its key creates one user and answers the same bytes", async () => {
  const from = freshAddress();
  const json = { name: "Ada Lovelace", email: freshEmail(), age: 36 };
  const headers = { "Idempotency-Key": "sign-up" };
  const first = await call("/api/users", { json, headers, from });
  const second = await call("/api/users", { json, headers, from });
  expect(first.status).toBe(201);
  expect(second.text).toBe(first.text);
  expect(second.headers.get("idempotency-replayed")).toBe("true");
  expect(second.headers.get("location")).toBe(first.headers.get("location"));
  expect(await countOf("users")).toBe(1);
  expect(await countOf("outbox_events")).toBe(1);
  const changed = await call("/api/users", { json: { ...json, age: 37 }, headers, from });
  expect(changed.json).toMatchObject({ status: 422, code: "idempotency_key_reused" });
  // Another client with the same key is another call.
  expect((await call("/api/users", { json, headers })).json.code).toBe("email_taken");
});

test("a sign-up refused for its address leaves the key free for another address", async () => {
  const from = freshAddress();
  const taken = await createAccount();
  const headers = { "Idempotency-Key": "sign-up" };
  const refused = await call("/api/users", { json: { name: "Eve", email: taken.email }, headers, from });
  expect(refused.json.code).toBe("email_taken");
  expect(await countOf("idempotency_records")).toBe(0);
  expect(
    (await call("/api/users", { json: { name: "Eve", email: freshEmail() }, headers, from })).status,
  ).toBe(201);
});

test.each(["PATCH", "PUT"])(
  "a %s sent again under its key changes once and answers the same bytes",
  async (method) => {
    const user = await createAccount();
    const json = { name: "Ada King", email: user.email, profile: { bio: "Countess" } };
    const headers = { "Idempotency-Key": "rename", "If-Match": '"1"' };
    const first = await user.call(`/api/users/${user.id}`, { method, json, headers });
    expect(first.status).toBe(200);
    const second = await user.call(`/api/users/${user.id}`, { method, json, headers });
    expect(second.text).toBe(first.text);
    expect(second.headers.get("idempotency-replayed")).toBe("true");
    expect(second.headers.get("etag")).toBe('"2"');
    expect((await user.call(`/api/users/${user.id}`)).text).toBe(first.text);
    expect(await countOf("outbox_events", "type = 'user.updated'")).toBe(1);
  },
);

test("an address that is taken, a stale version and an empty patch under a key", async () => {
  const admin = await createAdmin();
  const [user, other] = [await createAccount(), await createAccount()];
  const patch = (key: string, json: object, more: Record<string, string> = {}) =>
    admin.call(`/api/users/${user.id}`, {
      method: "PATCH",
      json,
      headers: { "Idempotency-Key": key, ...more },
    });
  expect((await patch("a", { email: other.email })).json.code).toBe("email_taken");
  expect((await patch("b", { name: "Nobody" }, { "If-Match": '"9"' })).status).toBe(412);
  expect(await countOf("idempotency_records")).toBe(0);
  const empty = await patch("c", {});
  expect(empty.json.version).toBe(1);
  await patch("d", { name: "Somebody" });
  expect((await patch("c", {})).text).toBe(empty.text);
});

test("a role is changed once under a key", async () => {
  const admin = await createAdmin();
  const user = await createAccount();
  const request = { method: "PATCH", json: { role: "admin" }, headers: { "Idempotency-Key": "promote" } };
  const first = await admin.call(`/api/users/${user.id}`, request);
  expect(first.json).toMatchObject({ role: "admin", version: 2 });
  const second = await admin.call(`/api/users/${user.id}`, request);
  expect(second.text).toBe(first.text);
  const row = await env.DB.prepare("select token_epoch from users where id = ?").bind(user.id).first();
  expect(row).toEqual({ token_epoch: 2 });
});

test("a change that others outrun each time is unavailable, and not a failed precondition that nobody set", async () => {
  const user = await createAccount();
  const { database, outbox, audit, keyset } = foundationsOf({
    env,
    config: configOf(env),
    scope: testScope(),
  });
  const repository = new UserRepository(database);
  const scope = testScope();
  const cache = new UserCache({ kv: env.USER_CACHE, memory: newUserMemory(), ttlSeconds: 60, scope });
  let outrun = 0;
  const revokeBelow = async () => {
    outrun += 1;
    await env.DB.prepare("update users set version = version + 1, last_change_id = ?")
      .bind(`x${outrun}`)
      .run();
  };
  const users = new UserService({
    ...{ database, outbox, audit, scope, repository, cache, keyset },
    revoker: { revokeBelow },
    ...{ signUps: { begin: unused }, passwords: { violationsOf: unused, hash: unused } },
  });
  const promote = (precondition: Precondition) =>
    users.patch(callBy(ADMIN, { precondition }), user.id, { role: "admin" });
  expect(codeOf(await promote(NO_PRECONDITION))).toBe("unavailable");
  expect(outrun).toBe(4);
  expect(codeOf(await promote({ kind: "versions", versions: [5] }))).toBe("precondition_failed");
  expect(await countOf("users", "role = 'admin'")).toBe(0);
});

function unused(): never {
  throw new Error("not used here");
}

const address = fc.constantFrom("ada@example.com", "ADA@example.com", "new@example.com");
const text = fc.option(fc.string({ maxLength: 5 }));
const patches = fc.record(
  {
    name: fc.string({ minLength: 3, maxLength: 9 }),
    age: fc.option(fc.integer({ min: 1, max: 150 })),
    role: fc.constantFrom("user" as const, "admin" as const),
    email: address,
    profile: fc.option(
      fc.record({ bio: text, locale: text, timezone: text, avatarUrl: text }, { requiredKeys: [] }),
    ),
  },
  { requiredKeys: [] },
);

test("what a user will be, as it is answered and recorded, is what the UPDATE makes of it", async () => {
  const { database } = openShop(new TestClock());
  const repository = new UserRepository(database);
  const id = newTestId(1);
  await env.DB.batch([
    env.DB.prepare(
      `insert into users (id, name, email, email_key, role, is_email_verified, last_change_id, created_at, updated_at)
       values (?, 'Ada', 'ada@example.com', 'ada@example.com', 'user', 1, 'e', 1, 1)`,
    ).bind(id),
    env.DB.prepare("insert into user_profiles (user_id) values (?)").bind(id),
  ]);
  const read = async () => {
    const {
      rows: [[row]],
    } = await database.read("primary", [repository.selectById(id)]);
    if (row === undefined) throw new Error("gone");
    return toAccount(row);
  };
  const owner = { kind: "user", userId: id, role: "user", sessionId: null } as const;
  let changeId = 0;
  await fc.assert(
    fc.asyncProperty(
      patches,
      fc.constantFrom(ADMIN, owner),
      fc.integer({ min: 2, max: 1e12 }),
      async (patch, actor, at) => {
        const before = await read();
        const expected = patchedUser(actor, before.user, patch, at);
        const mark = { id, changeId: `x${changeId++}`, at, was: before.lastChangeId };
        await database.commit(repository.update(mark, before.user, expected));
        const after = await read();
        expect(after.user).toEqual(expected);
        const isRoleChanged = before.user.role !== expected.role;
        expect(after.tokenEpoch).toBe(before.tokenEpoch + (isRoleChanged ? 1 : 0));
      },
    ),
    { numRuns: 100, seed: 7 },
  );
}, 20_000);
