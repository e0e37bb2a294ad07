import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import { callBy } from "../../src/platform/call";
import { configOf } from "../../src/platform/env";
import { PasswordHasher } from "../../src/platform/password-hasher";
import { wire } from "../../src/wiring";
import { createLoggedInAccount, freshEmail, PASSWORD } from "../support/accounts";
import { call, freshAddress } from "../support/client";
import { mailsSent } from "../support/mailbox";
import { settled, testScope } from "../support/scope";

// Password hashes are slow by design, and more so on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

async function rows<Row>(query: string, ...params: unknown[]): Promise<Row[]> {
  const { results } = await env.DB.prepare(query)
    .bind(...params)
    .all<Row>();
  return results;
}

const refresh = (refreshToken: string, from = freshAddress()) =>
  call("/api/auth/refresh", { from, json: { refreshToken } });

describe("login", () => {
  test("answers a pair of tokens and the user, and no cache may keep it", async () => {
    const account = await createLoggedInAccount();
    const answer = await call("/api/auth/login", { json: { email: account.email, password: PASSWORD } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.json).toEqual({
      accessToken: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      tokenType: "Bearer",
      expiresIn: 900,
      refreshToken: expect.stringMatching(/^[\w-]{43}$/),
      user: expect.objectContaining({ id: account.id, email: account.email, role: "user" }),
    });
    expect(answer.text).not.toContain("scrypt");
    const me = await call("/api/users/me", { token: answer.json.accessToken });
    expect(me.status).toBe(200);
    expect(me.json.id).toBe(account.id);
  });

  test("a wrong password, an unknown address and an account without a password answer alike", async () => {
    const account = await createLoggedInAccount();
    const bare = freshEmail();
    await call("/api/users", { json: { name: "No Password", email: bare } });
    const answers = await Promise.all(
      [
        { email: account.email, password: "not the right password" },
        { email: freshEmail(), password: PASSWORD },
        { email: bare, password: PASSWORD },
      ].map((json) => call("/api/auth/login", { json })),
    );
    for (const answer of answers) {
      expect(answer.status).toBe(401);
      expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer/);
      expect({ ...answer.json, requestId: "" }).toEqual({ ...answers[0]?.json, requestId: "" });
      expect(answer.json.code).toBe("invalid_credentials");
    }
  });

  test("the address counts without regard to case", async () => {
    const account = await createLoggedInAccount();
    const answer = await call("/api/auth/login", {
      json: { email: account.email.toUpperCase(), password: PASSWORD },
    });
    expect(answer.status).toBe(200);
  });

  test.each([
    [{}, "#/email"],
    [{ email: "ada@example.com" }, "#/password"],
    [{ email: "ada@example.com", password: 7 }, "#/password"],
    [{ email: "not an address", password: PASSWORD }, "#/email"],
    [{ email: "ad\u0430@example.com", password: PASSWORD }, "#/email"],
    [{ email: "ada@example.com", password: "" }, "#/password"],
    [{ email: "ada@example.com", password: PASSWORD, admin: true }, "#/admin"],
  ])("refuses %j and points at %s", async (json, pointer) => {
    const answer = await call("/api/auth/login", { json });
    expect(answer.status).toBe(400);
    expect(answer.json.errors[0].pointer).toBe(pointer);
  });

  test("a password under older parameters is hashed anew, and stays the password", async () => {
    const account = await createLoggedInAccount();
    const old = new PasswordHasher(Date.now, undefined, { logN: 10, blockSize: 8, parallelization: 1 });
    await env.DB.prepare("update users set password_hash = ? where id = ?")
      .bind(await old.hash(PASSWORD), account.id)
      .run();
    const json = { email: account.email, password: PASSWORD };
    const cheap = { ...json, password: "a guess of a password" };
    expect((await call("/api/auth/login", { json: cheap })).status).toBe(401);
    const isOld = () => rows("select id from users where password_hash like '$scrypt$ln=10,%'");
    expect(await isOld()).toHaveLength(1);
    expect((await call("/api/auth/login", { json })).status).toBe(200);
    expect(await isOld()).toEqual([]);
    expect((await call("/api/auth/login", { json })).status).toBe(200);
  });

  test("a stale bearer token does not hinder a login", async () => {
    const account = await createLoggedInAccount();
    const answer = await call("/api/auth/login", {
      token: "stale.token.header",
      json: { email: account.email, password: PASSWORD },
    });
    expect(answer.status).toBe(200);
  });

  test("what is stored of a login: no address in the clear, no token", async () => {
    const account = await createLoggedInAccount();
    const answer = await call("/api/auth/login", {
      from: "203.0.113.77",
      headers: { "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" },
      json: { email: account.email, password: PASSWORD },
    });
    const dump = JSON.stringify([
      await rows("select * from sessions"),
      await rows("select * from refresh_tokens"),
      await rows("select * from audit_log"),
    ]);
    expect(dump).toContain("Firefox on Linux");
    expect(dump).not.toContain("203.0.113.77");
    expect(dump).not.toContain(answer.json.refreshToken);
    expect(dump).not.toContain(answer.json.accessToken);
  });

  test("a session that is replaced after its last token has expired takes no place among the revocations", async () => {
    const account = await createLoggedInAccount();
    const logIn = async (lastSeenAt: number) => {
      await env.DB.prepare(
        `insert into sessions select ? || value, ?, 'x', null, value, ?, 9999999999999, null, null, null
         from (with recursive n(value) as (select 1 union all select value + 1 from n where value < 100) select value from n)`,
      )
        .bind(`${lastSeenAt} `, account.id, lastSeenAt)
        .run();
      const { auth } = wire(env, configOf(env), testScope(Date.now));
      expect((await auth.logIn(callBy(), { email: account.email, password: PASSWORD })).ok).toBe(true);
      await settled();
      return (await env.CLIENT_LIMITER.getByName(`user:${account.id}`).report()).revokedSessions;
    };
    expect(await logIn(Date.now() - 900_001)).toBe(0);
    expect(await logIn(Date.now())).toBeGreaterThan(0);
  });

  test("over a hundred live sessions the oldest is replaced", async () => {
    const account = await createLoggedInAccount();
    const [own] = await rows<{ id: string }>("select id from sessions");
    await env.DB.prepare(
      `insert into sessions select printf('00000000-0000-7000-8000-%012d', value), ?, 'x', null, value, value, 9999999999999, null, null, null
       from json_each((select json_group_array(value) from (with recursive n(value) as (select 1 union all select value + 1 from n where value < 100) select value from n)))`,
    )
      .bind(account.id)
      .run();
    await call("/api/auth/login", { json: { email: account.email, password: PASSWORD } });
    const ended = await rows<{ id: string; end_reason: string }>(
      "select id, end_reason from sessions where ended_at is not null",
    );
    expect(ended.map((row) => row.end_reason)).toEqual(["replaced", "replaced"]);
    expect(ended.map((row) => row.id)).not.toContain(own?.id);
  });
});

describe("refresh", () => {
  test("gives a new pair that works, and the old refresh token is spent", async () => {
    const account = await createLoggedInAccount();
    const answer = await refresh(account.refreshToken);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(Object.keys(answer.json).sort()).toEqual([
      "accessToken",
      "expiresIn",
      "refreshToken",
      "tokenType",
    ]);
    expect(answer.json.refreshToken).not.toBe(account.refreshToken);
    expect((await call("/api/users/me", { token: answer.json.accessToken })).status).toBe(200);
    expect(await rows("select * from refresh_tokens where used_at is null")).toHaveLength(1);
  });

  test("of twenty at once with one token all twenty hold a working session, and one family exists", async () => {
    const account = await createLoggedInAccount();
    // Each from an address of its own: the test runner's workerd does not let requests share a lease (see the
    // end-to-end test for twenty from one address).
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(account.refreshToken)));
    expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(200));
    expect(new Set(answers.map((answer) => answer.json.refreshToken)).size).toBe(1);
    expect(new Set(answers.map((answer) => answer.json.accessToken)).size).toBe(20);
    for (const answer of answers) {
      expect((await call("/api/users/me", { token: answer.json.accessToken })).status).toBe(200);
    }
    const again = await refresh(answers[7]?.json.refreshToken);
    expect(again.status).toBe(200);
    expect(await rows("select * from sessions where ended_at is null")).toHaveLength(1);
    expect(await rows("select * from refresh_tokens")).toHaveLength(3);
    expect(await rows("select * from refresh_tokens where used_at is null")).toHaveLength(1);
    expect(await rows("select * from outbox_events where type = 'session.reuse_detected'")).toEqual([]);
  });

  test("a tab that is two steps behind within the grace gets the end of the chain", async () => {
    const account = await createLoggedInAccount();
    const first = await refresh(account.refreshToken);
    const second = await refresh(first.json.refreshToken);
    const late = await refresh(account.refreshToken);
    expect(late.status).toBe(200);
    expect(late.json.refreshToken).toBe(second.json.refreshToken);
  });

  test("reuse of a rotated refresh token beyond the grace ends the session and tells its owner once", async () => {
    const account = await createLoggedInAccount();
    const { json: next } = await refresh(account.refreshToken);
    await env.DB.prepare(
      "update refresh_tokens set used_at = used_at - 10001 where used_at is not null",
    ).run();
    const stolen = await refresh(account.refreshToken);
    expect(stolen.status).toBe(401);
    expect(stolen.json.code).toBe("token_revoked");
    expect((await refresh(next.refreshToken)).json.code).toBe("token_revoked");
    expect((await call("/api/users/me", { token: next.accessToken })).json.code).toBe("token_revoked");
    await refresh(account.refreshToken);
    expect(await rows("select data from outbox_events where type = 'session.reuse_detected'")).toHaveLength(
      1,
    );
    const told = (await mailsSent()).filter((mail) => mail.event === "session.reuse_detected");
    expect(told.map((mail) => mail.to)).toEqual([account.email]);
  });

  test("just within the grace the same successor comes again", async () => {
    const account = await createLoggedInAccount();
    const { json: next } = await refresh(account.refreshToken);
    // Some of the grace is left for the call itself.
    await env.DB.prepare(
      "update refresh_tokens set used_at = used_at - 5000 where used_at is not null",
    ).run();
    const again = await refresh(account.refreshToken);
    expect(again.json.refreshToken).toBe(next.refreshToken);
  });

  test("another login of the same user goes on when one family is ended", async () => {
    const account = await createLoggedInAccount();
    const other = await call("/api/auth/login", { json: { email: account.email, password: PASSWORD } });
    await refresh(account.refreshToken);
    await env.DB.prepare("update refresh_tokens set used_at = 1 where used_at is not null").run();
    expect((await refresh(account.refreshToken)).status).toBe(401);
    expect((await call("/api/users/me", { token: other.json.accessToken })).status).toBe(200);
    expect((await refresh(other.json.refreshToken)).status).toBe(200);
  });

  test.each([
    ["an access token", (account: { token: string }) => account.token],
    ["one of our form that was never given out", () => "A".repeat(43)],
    ["any text", () => "refresh me"],
    ["one with a character more", (account: { refreshToken: string }) => `${account.refreshToken}x`],
  ] as const)("%s is unauthenticated and ends nothing", async (_, present) => {
    const account = await createLoggedInAccount();
    const answer = await refresh(present(account));
    expect(answer.status).toBe(401);
    expect(answer.json.code).toBe("unauthenticated");
    expect((await call("/api/users/me", { token: account.token })).status).toBe(200);
  });

  test("a session past its seven days is over, however lately it was refreshed", async () => {
    const account = await createLoggedInAccount();
    const [session] = await rows<{ created_at: number; expires_at: number }>("select * from sessions");
    expect((session?.expires_at ?? 0) - (session?.created_at ?? 0)).toBe(604_800_000);
    await env.DB.prepare("update sessions set expires_at = ?").bind(Date.now()).run();
    const answer = await refresh(account.refreshToken);
    expect(answer.status).toBe(401);
    expect(answer.json.code).toBe("token_expired");
  });

  test("a refresh carries the role as it is now", async () => {
    const account = await createLoggedInAccount();
    await env.DB.prepare("update users set role = 'admin'").run();
    const answer = await refresh(account.refreshToken);
    expect((await call("/api/users", { token: answer.json.accessToken })).status).toBe(200);
  });

  test("the refresh token of a deleted user is refused", async () => {
    const account = await createLoggedInAccount();
    expect((await account.call(`/api/users/${account.id}`, { method: "DELETE" })).status).toBe(204);
    const answer = await refresh(account.refreshToken);
    expect(answer.status).toBe(401);
    // Revoked, until the consumer of the deletion has erased what it was known by.
    expect(["token_revoked", "unauthenticated"]).toContain(answer.json.code);
  });
});

describe("sessions", () => {
  const KEYS = ["createdAt", "device", "expiresAt", "id", "isCurrent", "lastSeenAt", "location"];

  test("lists the caller's own live sessions, newest first, and marks its own", async () => {
    const account = await createLoggedInAccount();
    await createLoggedInAccount();
    await call("/api/auth/login", {
      headers: { "User-Agent": "curl/8.9.1" },
      json: { email: account.email, password: PASSWORD },
    });
    const answer = await account.call("/api/auth/sessions");
    expect(answer.status).toBe(200);
    expect(answer.json.nextCursor).toBeNull();
    expect(answer.json.data).toHaveLength(2);
    expect(Object.keys(answer.json.data[0]).sort()).toEqual(KEYS);
    expect(answer.json.data.map((session: { isCurrent: boolean }) => session.isCurrent)).toEqual([
      false,
      true,
    ]);
    expect(answer.json.data[0].device).toBe("curl");
  });

  test("one ended by its owner stops at once where it was served, access and refresh token both", async () => {
    const account = await createLoggedInAccount();
    const { json: other } = await call("/api/auth/login", {
      json: { email: account.email, password: PASSWORD },
    });
    expect((await call("/api/users/me", { token: other.accessToken })).status).toBe(200);
    const { json: list } = await account.call("/api/auth/sessions");
    const id = list.data.find((session: { isCurrent: boolean }) => !session.isCurrent).id;
    expect((await account.call(`/api/auth/sessions/${id}`, { method: "DELETE" })).status).toBe(204);
    const me = await call("/api/users/me", { token: other.accessToken });
    expect(me.status).toBe(401);
    expect(me.json.code).toBe("token_revoked");
    expect(me.headers.get("www-authenticate")).toContain('error="invalid_token"');
    expect((await refresh(other.refreshToken)).json.code).toBe("token_revoked");
    expect((await account.call("/api/auth/sessions")).json.data).toHaveLength(1);
    expect((await account.call(`/api/auth/sessions/${id}`, { method: "DELETE" })).status).toBe(404);
  });

  test("somebody else's, an unknown one and one that ended answer alike", async () => {
    const account = await createLoggedInAccount();
    const stranger = await createLoggedInAccount();
    const { json } = await stranger.call("/api/auth/sessions");
    const theirs = await account.call(`/api/auth/sessions/${json.data[0].id}`, { method: "DELETE" });
    const unknown = await account.call("/api/auth/sessions/019ab000-0000-7000-8000-000000000001", {
      method: "DELETE",
    });
    expect(theirs.status).toBe(404);
    expect({ ...theirs.json, requestId: "", instance: "" }).toEqual({
      ...unknown.json,
      requestId: "",
      instance: "",
    });
    expect((await stranger.call("/api/auth/sessions")).status).toBe(200);
  });

  test("each call needs a token", async () => {
    for (const [method, path] of [
      ["GET", "/api/auth/sessions"],
      ["DELETE", "/api/auth/sessions/019ab000-0000-7000-8000-000000000001"],
      ["POST", "/api/auth/logout"],
      ["POST", "/api/auth/logout-all"],
      ["POST", "/api/auth/email/resend"],
    ] as const) {
      const answer = await call(path, { method });
      expect([path, answer.status, answer.json.code]).toEqual([path, 401, "unauthenticated"]);
    }
  });

  test("logout ends the caller's session alone, with one event and one audit row", async () => {
    const account = await createLoggedInAccount();
    const { json: other } = await call("/api/auth/login", {
      json: { email: account.email, password: PASSWORD },
    });
    expect((await account.call("/api/auth/logout", { method: "POST" })).status).toBe(204);
    expect((await account.call("/api/users/me")).json.code).toBe("token_revoked");
    expect((await refresh(account.refreshToken)).json.code).toBe("token_revoked");
    expect((await call("/api/users/me", { token: other.accessToken })).status).toBe(200);
    expect(await rows("select * from outbox_events where type = 'session.ended'")).toHaveLength(1);
    expect(await rows("select * from audit_log where action = 'session.end'")).toHaveLength(1);
  });

  test("logout-all ends each of them, and a new login works at once", async () => {
    const account = await createLoggedInAccount();
    const { json: other } = await call("/api/auth/login", {
      json: { email: account.email, password: PASSWORD },
    });
    expect((await account.call("/api/auth/logout-all", { method: "POST" })).status).toBe(204);
    for (const token of [account.token, other.accessToken]) {
      expect((await call("/api/users/me", { token })).json.code).toBe("token_revoked");
    }
    for (const token of [account.refreshToken, other.refreshToken]) {
      expect((await refresh(token)).json.code).toBe("token_revoked");
    }
    const { json: fresh } = await call("/api/auth/login", {
      json: { email: account.email, password: PASSWORD },
    });
    expect((await call("/api/users/me", { token: fresh.accessToken })).status).toBe(200);
  });
});
