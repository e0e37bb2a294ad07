import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { createAccount, createAdmin, freshEmail, PASSWORD } from "../support/accounts";
import { call } from "../support/client";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

async function count(table: "users" | "user_profiles" | "outbox_events", where = "1"): Promise<number> {
  const row = await env.DB.prepare(`select count(*) as n from ${table} where ${where}`).first<{
    n: number;
  }>();
  return row?.n ?? -1;
}

async function eventTypes(subject: string): Promise<string[]> {
  const { results } = await env.DB.prepare(
    "select type from outbox_events where subject = ? order by sequence",
  )
    .bind(subject)
    .all<{ type: string }>();
  return results.map(({ type }) => type);
}

describe("sign-up", () => {
  test("answers the whole user, where it is and its version, and never the password", async () => {
    const email = freshEmail();
    const answer = await call("/api/users", {
      json: {
        name: "  Ada Lovelace ",
        email,
        password: PASSWORD,
        age: 36,
        profile: { bio: "Notes on the Analytical Engine", locale: "en-GB", timezone: "Europe/London" },
      },
    });
    expect(answer.status).toBe(201);
    expect(answer.json.id).toMatch(UUID_V7);
    expect(answer.json).toEqual({
      id: answer.json.id,
      name: "Ada Lovelace",
      email,
      pendingEmail: null,
      age: 36,
      role: "user",
      emailVerified: false,
      profile: {
        bio: "Notes on the Analytical Engine",
        avatarUrl: null,
        locale: "en-GB",
        timezone: "Europe/London",
      },
      version: 1,
      createdAt: answer.json.createdAt,
      updatedAt: answer.json.createdAt,
    });
    expect(answer.json.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(answer.headers.get("location")).toBe(`/api/users/${answer.json.id}`);
    expect(answer.headers.get("etag")).toBe('"1"');
    expect(answer.headers.get("x-d1-bookmark")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}$/);
    expect(answer.text).not.toContain("scrypt");
    expect(await count("users")).toBe(1);
    expect(await count("user_profiles")).toBe(1);
    expect(await eventTypes(answer.json.id)).toEqual(["user.created"]);
  });

  test("an address is taken in any case, and the second sign-up writes nothing", async () => {
    await call("/api/users", { json: { name: "Ada", email: "ada@example.com" } });
    const second = await call("/api/users", { json: { name: "Eve", email: "ADA@Example.COM" } });
    expect(second.status).toBe(409);
    expect(second.json).toMatchObject({
      type: "/problems/email_taken",
      status: 409,
      code: "email_taken",
      instance: "/api/users",
      errors: [{ pointer: "#/email" }],
    });
    expect(second.json.requestId).toBe(second.headers.get("x-request-id"));
    expect(await count("users")).toBe(1);
    expect(await count("outbox_events")).toBe(1);
  });

  test("of two at once with one address one succeeds: one user, one profile, one event", async () => {
    const json = { name: "Ada Lovelace", email: "race@example.com" };
    const answers = await Promise.all(Array.from({ length: 5 }, () => call("/api/users", { json })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
    expect(await count("users")).toBe(1);
    expect(await count("user_profiles")).toBe(1);
    expect(await count("outbox_events")).toBe(1);
  });

  test("names in every script are welcome", async () => {
    for (const name of [
      "محمد الخوارزمي",
      "שרה לוי",
      "山田太郎",
      "Ὑπατία",
      "ดาริน",
      "Ægir Þórsson",
      "𠮷野家",
    ]) {
      const answer = await call("/api/users", { json: { name, email: freshEmail() } });
      expect([answer.status, answer.json.name]).toEqual([201, name]);
    }
  });

  const BASE = { name: "Ada Lovelace", email: "ada@example.com" };
  test.each<[string, unknown, string, string]>([
    ["no name", { email: "a@example.com" }, "#/name", "required"],
    ["a short name", { ...BASE, name: "ab" }, "#/name", "too_short"],
    ["a name of blanks", { ...BASE, name: "     " }, "#/name", "too_short"],
    ["a long name", { ...BASE, name: "x".repeat(101) }, "#/name", "too_long"],
    ["a NUL in the name", { ...BASE, name: "Ada\u0000Love" }, "#/name", "forbidden_characters"],
    ["a line break in the name", { ...BASE, name: "Ada\r\nBcc: x" }, "#/name", "forbidden_characters"],
    ["a lone surrogate in the name", { ...BASE, name: "Ada\ud800xyz" }, "#/name", "forbidden_characters"],
    [
      "a bidirectional override in the name",
      { ...BASE, name: "Ada\u202eevol" },
      "#/name",
      "forbidden_characters",
    ],
    ["a number for a name", { ...BASE, name: 12345 }, "#/name", "invalid_type"],
    ["no address", { name: "Ada Lovelace" }, "#/email", "required"],
    ["a bad address", { ...BASE, email: "ada at example" }, "#/email", "invalid_format"],
    ["a look-alike address", { ...BASE, email: "аda@example.com" }, "#/email", "invalid_format"],
    ["an over-long address", { ...BASE, email: `${"a".repeat(250)}@example.com` }, "#/email", "too_long"],
    ["age 0", { ...BASE, age: 0 }, "#/age", "too_small"],
    ["age 151", { ...BASE, age: 151 }, "#/age", "too_big"],
    ["age 1.5", { ...BASE, age: 1.5 }, "#/age", "invalid_type"],
    ["age as text", { ...BASE, age: "36" }, "#/age", "invalid_type"],
    ["an unknown field", { ...BASE, isAdmin: true }, "#/isAdmin", "unknown_field"],
    ["a role", { ...BASE, role: "admin" }, "#/role", "unknown_field"],
    ["an unknown field in the profile", { ...BASE, profile: { x: 1 } }, "#/profile/x", "unknown_field"],
    [
      "a javascript avatar",
      { ...BASE, profile: { avatarUrl: "javascript:alert(1)" } },
      "#/profile/avatarUrl",
      "invalid_format",
    ],
    [
      "an unknown time zone",
      { ...BASE, profile: { timezone: "Mars/Base" } },
      "#/profile/timezone",
      "invalid_format",
    ],
    ["a bad locale", { ...BASE, profile: { locale: "not a locale" } }, "#/profile/locale", "invalid_format"],
    ["a short password", { ...BASE, password: "short" }, "#/password", "too_short"],
    ["an array", [BASE], "#", "invalid_type"],
    [
      "deep nesting",
      { ...BASE, profile: JSON.parse("[".repeat(500) + "]".repeat(500)) },
      "#/profile",
      "invalid_type",
    ],
  ])("%s is refused with a pointer, and nothing is written", async (_title, json, pointer, code) => {
    const answer = await call("/api/users", { json });
    expect(answer.status).toBe(400);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.json.code).toBe("validation_failed");
    expect(answer.json.errors).toContainEqual(expect.objectContaining({ pointer, code }));
    expect(await count("users")).toBe(0);
    expect(await count("outbox_events")).toBe(0);
  });

  test("bodies that are no JSON, not UTF-8, too large or of another type are told apart", async () => {
    const type = { "Content-Type": "application/json" };
    const malformed = await call("/api/users", { body: "{", headers: type });
    expect([malformed.status, malformed.json.code]).toEqual([400, "malformed_json"]);
    const latin = await call("/api/users", { body: new Uint8Array([0x22, 0xff, 0x22]), headers: type });
    expect([latin.status, latin.json.code]).toEqual([400, "malformed_json"]);
    const huge = await call("/api/users", { body: "x".repeat(10_000_000), headers: type });
    expect([huge.status, huge.json.code]).toEqual([413, "payload_too_large"]);
    const form = await call("/api/users", { body: "name=Ada", headers: { "Content-Type": "text/plain" } });
    expect([form.status, form.json.code]).toEqual([415, "unsupported_media_type"]);
    const empty = await call("/api/users", { method: "POST" });
    expect([empty.status, empty.json.code]).toEqual([400, "validation_failed"]);
    expect(await count("users")).toBe(0);
  });
});

describe("reading a user", () => {
  test("is for itself and for admins; to all others it does not exist", async () => {
    const [ada, eve, admin] = [await createAccount(), await createAccount(), await createAdmin()];
    expect((await ada.call(`/api/users/${ada.id}`)).json).toMatchObject({ id: ada.id, email: ada.email });
    expect((await ada.call("/api/users/me")).json.id).toBe(ada.id);
    expect((await admin.call(`/api/users/${ada.id}`)).json.id).toBe(ada.id);

    const notYours = await eve.call(`/api/users/${ada.id}`);
    const notThere = await eve.call("/api/users/01890000-0000-7000-8000-000000000000");
    expect([notYours.status, notThere.status]).toEqual([404, 404]);
    const anonymized = ({ requestId: _r, instance: _i, ...rest }: Record<string, unknown>) => rest;
    expect(anonymized(notYours.json)).toEqual(anonymized(notThere.json));

    const stranger = await call(`/api/users/${ada.id}`);
    expect([stranger.status, stranger.json.code]).toEqual([401, "unauthenticated"]);
    expect(stranger.headers.get("www-authenticate")).toMatch(/^Bearer/);
    expect((await call("/api/users/me")).status).toBe(401);
  });

  test("an id that is no UUID is refused with a pointer", async () => {
    const ada = await createAccount();
    const answer = await ada.call("/api/users/not-a-uuid");
    expect([answer.status, answer.json.errors[0].pointer]).toEqual([400, "#/path/id"]);
  });

  test("an unchanged version is 304 with its tag and no body", async () => {
    const ada = await createAccount();
    const first = await ada.call(`/api/users/${ada.id}`);
    const etag = first.headers.get("etag") ?? "";
    for (const tag of [etag, `W/${etag}`, `"7", ${etag}`, "*"]) {
      const again = await ada.call(`/api/users/${ada.id}`, { headers: { "If-None-Match": tag } });
      expect([again.status, again.text, again.headers.get("etag")]).toEqual([304, "", etag]);
    }
    expect((await ada.call(`/api/users/${ada.id}`, { headers: { "If-None-Match": '"2"' } })).status).toBe(
      200,
    );
  });
});

describe("changing a user", () => {
  test("PATCH merges: what is absent stays, null clears, the version rises", async () => {
    const ada = await createAccount({ age: 36, profile: { bio: "Poet's daughter", locale: "en" } });
    const patched = await ada.call(`/api/users/${ada.id}`, {
      method: "PATCH",
      headers: { "Content-Type": "application/merge-patch+json" },
      json: { name: "Ada King", age: null, profile: { bio: null, timezone: "Europe/London" } },
    });
    expect(patched.status).toBe(200);
    expect(patched.json).toMatchObject({
      name: "Ada King",
      email: ada.email,
      age: null,
      version: 2,
      profile: { bio: null, avatarUrl: null, locale: "en", timezone: "Europe/London" },
    });
    expect(patched.headers.get("etag")).toBe('"2"');
    expect(await eventTypes(ada.id)).toEqual(["user.created", "user.updated"]);
    const cleared = await ada.call(`/api/users/${ada.id}`, { method: "PATCH", json: { profile: null } });
    expect(cleared.json.profile).toEqual({ bio: null, avatarUrl: null, locale: null, timezone: null });
  });

  test("an empty PATCH changes nothing and tells nobody", async () => {
    const ada = await createAccount();
    const patched = await ada.call(`/api/users/${ada.id}`, { method: "PATCH", json: {} });
    expect([patched.status, patched.json.version]).toEqual([200, 1]);
    expect(await eventTypes(ada.id)).toEqual(["user.created"]);
  });

  test("PUT replaces: age and profile that are absent are cleared", async () => {
    const ada = await createAccount({ age: 36, profile: { bio: "x" } });
    const json = { name: "Ada King", email: ada.email };
    const put = await ada.call(`/api/users/${ada.id}`, { method: "PUT", json });
    expect(put.json).toMatchObject({ name: "Ada King", age: null, pendingEmail: null, version: 2 });
    expect(put.json.profile).toEqual({ bio: null, avatarUrl: null, locale: null, timezone: null });
    expect((await ada.call(`/api/users/${ada.id}`, { method: "PUT", json: { name: "Ada" } })).status).toBe(
      400,
    );
  });

  test("a stale, weak, unknown or malformed If-Match changes nothing; a current one, a list and * do", async () => {
    const ada = await createAccount();
    const path = `/api/users/${ada.id}`;
    const patch = (ifMatch: string, name: string) =>
      ada.call(path, { method: "PATCH", headers: { "If-Match": ifMatch }, json: { name } });
    for (const stale of ['"9"', 'W/"1"', "1", '"x"', "garbage"]) {
      const refused = await patch(stale, "Mallory");
      expect([stale, refused.status, refused.json.code]).toEqual([stale, 412, "precondition_failed"]);
    }
    expect((await ada.call(path)).json).toMatchObject({ name: "Ada Lovelace", version: 1 });
    expect((await patch('"1"', "First")).json).toMatchObject({ name: "First", version: 2 });
    expect((await patch('W/"9", "8", "2"', "Second")).json.version).toBe(3);
    expect((await patch("*", "Third")).json.version).toBe(4);
    expect(await eventTypes(ada.id)).toHaveLength(4);
  });

  test("of many PATCHes with one If-Match exactly one is applied", async () => {
    const ada = await createAccount();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        ada.call(`/api/users/${ada.id}`, {
          method: "PATCH",
          headers: { "If-Match": '"1"' },
          json: { name: `Writer ${n}` },
        }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(7).fill(412)]);
    const winner = answers.find(({ status }) => status === 200);
    const read = await ada.call(`/api/users/${ada.id}`, {
      headers: { "X-D1-Bookmark": winner?.headers.get("x-d1-bookmark") ?? "" },
    });
    expect(read.json).toMatchObject({ name: winner?.json.name, version: 2 });
    expect(await eventTypes(ada.id)).toEqual(["user.created", "user.updated"]);
  });

  test("the owner cannot touch the role; an admin can, and the user's old token is void", async () => {
    const [ada, admin] = [await createAccount(), await createAdmin()];
    for (const method of ["PATCH", "PUT"]) {
      const json = { name: "Ada Lovelace", email: ada.email, role: "admin" };
      const refused = await ada.call(`/api/users/${ada.id}`, { method, json });
      expect([refused.status, refused.json.code]).toEqual([403, "forbidden"]);
    }
    const promoted = await admin.call(`/api/users/${ada.id}`, { method: "PATCH", json: { role: "admin" } });
    expect([promoted.status, promoted.json.role]).toEqual([200, "admin"]);
    const old = await ada.call(`/api/users/${ada.id}`);
    expect([old.status, old.json.code]).toEqual([401, "token_revoked"]);
  });

  test("someone else's user is 404 for every method, and stays as it is", async () => {
    const [ada, eve] = [await createAccount(), await createAccount()];
    const json = { name: "Mallory", email: "mallory@example.com" };
    for (const method of ["PUT", "PATCH", "DELETE"]) {
      const answer = await eve.call(`/api/users/${ada.id}`, {
        method,
        ...(method === "DELETE" ? {} : { json }),
      });
      expect([method, answer.status, answer.json.code]).toEqual([method, 404, "not_found"]);
    }
    expect((await ada.call(`/api/users/${ada.id}`)).json.version).toBe(1);
  });

  test("the owner's new address waits for confirmation, whether it is taken or not", async () => {
    const [ada, bob] = [await createAccount(), await createAccount()];
    for (const email of ["new@example.com", bob.email]) {
      const patched = await ada.call(`/api/users/${ada.id}`, { method: "PATCH", json: { email } });
      expect(patched.json).toMatchObject({ email: ada.email, pendingEmail: email });
      expect(patched.status).toBe(200);
    }
    const back = await ada.call(`/api/users/${ada.id}`, { method: "PATCH", json: { email: ada.email } });
    expect(back.json).toMatchObject({ email: ada.email, pendingEmail: null });
  });

  test("an admin's change of address is immediate and unverified, and 409 when it is taken", async () => {
    const [ada, bob, admin] = [await createAccount(), await createAccount(), await createAdmin()];
    const changed = await admin.call(`/api/users/${ada.id}`, {
      method: "PATCH",
      json: { email: "new@example.com" },
    });
    expect(changed.json).toMatchObject({
      email: "new@example.com",
      pendingEmail: null,
      emailVerified: false,
    });
    const taken = await admin.call(`/api/users/${ada.id}`, { method: "PATCH", json: { email: bob.email } });
    expect([taken.status, taken.json.code]).toEqual([409, "email_taken"]);
  });
});

describe("deleting a user", () => {
  test("ends its tokens, frees its address and leaves an event; an admin then finds nothing", async () => {
    const [ada, admin] = [await createAccount(), await createAdmin()];
    const deleted = await ada.call(`/api/users/${ada.id}`, { method: "DELETE" });
    expect([deleted.status, deleted.text]).toEqual([204, ""]);
    expect(deleted.headers.get("x-d1-bookmark")).not.toBeNull();
    expect(await count("users", `id = '${ada.id}'`)).toBe(0);
    expect(await count("user_profiles", `user_id = '${ada.id}'`)).toBe(0);
    expect((await eventTypes(ada.id)).at(-1)).toBe("user.deleted");

    const own = await ada.call(`/api/users/${ada.id}`);
    expect([own.status, own.json.code]).toEqual([401, "token_revoked"]);
    expect((await admin.call(`/api/users/${ada.id}`)).status).toBe(404);
    expect((await admin.call(`/api/users/${ada.id}`, { method: "DELETE" })).status).toBe(404);
    expect((await call("/api/users", { json: { name: "Ada Again", email: ada.email } })).status).toBe(201);
  });

  test("a stale If-Match deletes nothing, and the tokens live on", async () => {
    const ada = await createAccount();
    const refused = await ada.call(`/api/users/${ada.id}`, {
      method: "DELETE",
      headers: { "If-Match": '"9"' },
    });
    expect(refused.status).toBe(412);
    expect((await ada.call(`/api/users/${ada.id}`)).status).toBe(200);
  });
});

describe("the list", () => {
  test("is for admins", async () => {
    const ada = await createAccount();
    expect((await call("/api/users")).status).toBe(401);
    const refused = await ada.call("/api/users");
    expect([refused.status, refused.json.code]).toEqual([403, "forbidden"]);
  });

  test("pages through everyone once, in either order of either key", async () => {
    const admin = await createAdmin();
    for (const name of ["Cyd", "Bob", "Bob", "Zoe", "Abe"]) {
      await call("/api/users", { json: { name, email: freshEmail() } });
    }
    const walk = async (sort: string): Promise<string[]> => {
      const names: string[] = [];
      let path: string | null = `/api/users?limit=2&sort=${sort}`;
      while (path !== null) {
        const page = await admin.call(path);
        expect(page.status).toBe(200);
        names.push(...page.json.data.map((user: { name: string }) => user.name));
        const link = page.headers.get("link");
        expect(link !== null).toBe(page.json.nextCursor !== null);
        path = /^<([^>]+)>; rel="next"$/.exec(link ?? "")?.[1] ?? null;
      }
      return names;
    };
    const byName = ["Abe", "Bob", "Bob", "Cyd", "Grace Hopper", "Zoe"];
    expect(await walk("name")).toEqual(byName);
    expect(await walk("-name")).toEqual(byName.toReversed());
    const byAge = ["Grace Hopper", "Cyd", "Bob", "Bob", "Zoe", "Abe"];
    expect(await walk("createdAt")).toEqual(byAge);
    expect(await walk("-createdAt")).toEqual(byAge.toReversed());
  });

  test("filters by address, role, name and time", async () => {
    const admin = await createAdmin();
    const ada = await call("/api/users", { json: { name: "Ada Lovelace", email: "ada@example.com" } });
    const names = async (search: string) =>
      (await admin.call(`/api/users?sort=name&${search}`)).json.data.map(
        (user: { name: string }) => user.name,
      );
    expect(await names("email=ADA@example.com")).toEqual(["Ada Lovelace"]);
    expect(await names("role=admin")).toEqual(["Grace Hopper"]);
    expect(await names("name=Ada")).toEqual(["Ada Lovelace"]);
    expect(await names(`createdAfter=${ada.json.createdAt}`)).toEqual([]);
    expect(await names(`createdBefore=${ada.json.createdAt}`)).toEqual(["Grace Hopper"]);
    expect(await names("createdAfter=2020-01-01T00:00:00Z")).toEqual(["Ada Lovelace", "Grace Hopper"]);
  });

  test.each(["limit=-1", "limit=0", "limit=101", "limit=abc", "limit=1.5", "limit=", "limit=1&limit=2"])(
    "%s is refused with a pointer",
    async (search) => {
      const admin = await createAdmin();
      const answer = await admin.call(`/api/users?${search}`);
      expect([answer.status, answer.json.errors[0].pointer]).toEqual([400, "#/query/limit"]);
    },
  );

  test.each([
    ["sort=email", "sort"],
    ["role=root", "role"],
    ["createdAfter=yesterday", "createdAfter"],
    ["page=2", "page"],
  ])("%s is refused with a pointer", async (search, field) => {
    const admin = await createAdmin();
    const answer = await admin.call(`/api/users?${search}`);
    expect([answer.status, answer.json.errors[0].pointer]).toEqual([400, `#/query/${field}`]);
  });

  test("a forged, truncated or foreign cursor is refused", async () => {
    const [admin, other] = [await createAdmin(), await createAdmin()];
    const { nextCursor } = (await admin.call("/api/users?limit=1&sort=name")).json;
    const flipped = nextCursor.slice(0, -2) + (nextCursor.endsWith("AA") ? "BB" : "AA");
    const uses: [string, typeof admin, string][] = [
      ["made up", admin, "sort=name&cursor=eyJrIjoiYSJ9"],
      ["truncated", admin, `sort=name&cursor=${nextCursor.slice(0, -4)}`],
      ["altered", admin, `sort=name&cursor=${flipped}`],
      ["of another sort", admin, `sort=-name&cursor=${nextCursor}`],
      ["with another filter", admin, `sort=name&role=admin&cursor=${nextCursor}`],
      ["of another admin", other, `sort=name&cursor=${nextCursor}`],
    ];
    for (const [title, who, search] of uses) {
      const answer = await who.call(`/api/users?${search}`);
      expect([title, answer.status, answer.json.errors?.[0].pointer]).toEqual([title, 400, "#/query/cursor"]);
    }
    expect((await admin.call(`/api/users?limit=2&sort=name&cursor=${nextCursor}`)).status).toBe(200);
  });
});
