import { env } from "cloudflare:workers";
import { parseList } from "structured-headers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { newId } from "../../src/platform/clock";
import { FAIL_OPEN_ALLOWANCE } from "../../src/platform/limiter/budget-answer";
import { ClientLimiter } from "../../src/platform/limiter/client-limiter";
import { Authenticator } from "../../src/services/auth/authenticator";
import { metrics } from "../../src/services/operations/metrics/isolate-metrics";
import { createAccount, createAdmin, createLoggedInAccount, PASSWORD, signToken } from "../support/accounts";
import { type Answer, call, freshAddress } from "../support/client";
import { lastTokenTo } from "../support/mailbox";

afterEach(() => {
  vi.restoreAllMocks();
});

async function burst(count: number, from: string): Promise<Answer[]> {
  return await Promise.all(Array.from({ length: count }, () => call("/api/products", { from })));
}

describe("the limit", () => {
  test("of a thousand requests at once from one client exactly a hundred are admitted", async () => {
    const answers = await burst(1_000, freshAddress());
    const tally = new Map<number, number>();
    for (const { status } of answers) tally.set(status, (tally.get(status) ?? 0) + 1);
    expect(Object.fromEntries(tally)).toEqual({ 200: 100, 429: 900 });
  }, 60_000);

  test("a refusal says which policy refused, and when to come again", async () => {
    const from = freshAddress();
    const refused = (await burst(101, from)).find(({ status }) => status === 429);
    expect(refused?.headers.get("content-type")).toBe("application/problem+json");
    expect(refused?.json).toMatchObject({
      code: "rate_limited",
      "violated-policies": [
        { type: "https://iana.org/assignments/http-problem-types#quota-exceeded", policy: "default" },
      ],
    });
    const retryAfter = Number(refused?.headers.get("retry-after"));
    expect(retryAfter).toBeGreaterThanOrEqual(900);
    expect(retryAfter).toBeLessThanOrEqual(960);
    expect(refused?.headers.get("ratelimit")).toBe(`"default";r=0;t=${retryAfter}`);
  }, 30_000);

  test("every limited answer carries fields that a structured-fields parser reads, whatever its status", async () => {
    const { token, from } = await createAccount();
    const answers = [
      await call("/api/products"),
      await call("/api/users/me", { token, from }),
      await call("/api/users/me"),
      await call("/api/nowhere"),
      await call("/api/users", { token: "not.a.token" }),
      await call("/api/users", { json: {} }),
      await call("/api/users", { method: "DELETE" }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 401, 404, 401, 400, 405]);
    for (const { headers } of answers) {
      const [policy] = parseList(headers.get("ratelimit-policy") ?? "");
      const [state] = parseList(headers.get("ratelimit") ?? "");
      expect(policy).toEqual([
        "default",
        new Map([
          ["q", 100],
          ["w", 900],
        ]),
      ]);
      expect(state?.[0]).toBe("default");
      expect([...(state?.[1].keys() ?? [])]).toEqual(["r", "t"]);
    }
  });

  test("a user is one client wherever it calls from; its address has a budget of its own", async () => {
    const { token, from } = await createAccount();
    const seen = [];
    for (const address of [from, freshAddress(), freshAddress()]) {
      seen.push((await call("/api/users/me", { token, from: address })).headers.get("ratelimit"));
    }
    expect(seen.map((field) => /r=(\d+)/.exec(field ?? "")?.[1])).toEqual(["99", "98", "97"]);
  });

  test("an address is what the edge saw: what a client says of itself changes nothing", async () => {
    const from = freshAddress();
    const seen = [];
    for (const claimed of ["192.0.2.1", "192.0.2.2", "2001:db8:ffff::1"]) {
      const headers = { "X-Forwarded-For": claimed, "X-Real-IP": claimed, Forwarded: `for="${claimed}"` };
      seen.push((await call("/api/products", { from, headers })).headers.get("ratelimit"));
    }
    expect(seen.map((field) => /r=(\d+)/.exec(field ?? "")?.[1])).toEqual(["99", "98", "97"]);
  });

  test("a forged token is charged to the address it came from, and spends nobody's budget", async () => {
    const { id, token, from } = await createAccount();
    const [header, , signature] = token.split(".");
    const payload = btoa(JSON.stringify({ sub: id })).replaceAll("=", "");
    const address = freshAddress();
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      const answer = await call("/api/users/me", {
        token: `${header}.${payload}.${signature}`,
        from: address,
      });
      expect([answer.status, answer.headers.get("ratelimit")]).toEqual([
        401,
        `"default";r=${100 - attempt};t=900`,
      ]);
    }
    expect((await call("/api/users/me", { token, from })).headers.get("ratelimit")).toContain("r=99");
  });

  test("OPTIONS, which is not charged, does not look at its token either", async () => {
    const verify = vi.spyOn(Authenticator.prototype, "verify");
    const { token } = await createAccount();
    for (const path of ["/api/users", "/graphql", "/rpc/users.v1.UserService/GetUser"]) {
      await call(path, { method: "OPTIONS", token });
    }
    expect(verify).not.toHaveBeenCalled();
    expect((await call("/api/users/me", { token })).status).toBe(200);
    expect(verify).toHaveBeenCalledTimes(1);
  });

  test("what is not under /api, and OPTIONS, spend nothing", async () => {
    const from = freshAddress();
    expect((await call("/healthz", { from })).headers.get("ratelimit")).toBeNull();
    expect((await call("/api/users", { method: "OPTIONS", from })).headers.get("ratelimit")).toBeNull();
    expect((await call("/api/products", { from })).headers.get("ratelimit")).toContain("r=99");
  });
});

describe("a revoked token", () => {
  test("is refused on the first request of an isolate that knows nothing of it, read or write", async () => {
    const { id, token, from } = await createAccount();
    const object = env.CLIENT_LIMITER.getByName(`user:${id}`);
    await object.revoke({ minEpoch: 2 });
    const read = await call("/api/users/me", { token, from });
    expect([read.status, read.json.code, read.headers.get("etag")]).toEqual([401, "token_revoked", null]);
    expect(read.text).not.toContain("Ada");
    const write = await call(`/api/users/${id}`, { method: "PATCH", token, from, json: { name: "Mallory" } });
    expect([write.status, write.json.code]).toEqual([401, "token_revoked"]);
    const row = await env.DB.prepare("select name from users where id = ?").bind(id).first("name");
    expect(row).toBe("Ada Lovelace");
  });
});

describe("when the client's object fails", () => {
  const breakObjects = () => vi.spyOn(ClientLimiter.prototype, "ask").mockRejectedValue(new Error("broken"));

  test("the isolate admits from its small allowance, and then answers 503", async () => {
    breakObjects();
    const count = vi.spyOn(metrics(), "count");
    const from = freshAddress();
    const answers = [];
    for (let count = 0; count <= FAIL_OPEN_ALLOWANCE; count += 1) {
      answers.push(await call("/api/products", { from }));
    }
    const statuses = answers.map(({ status }) => status);
    expect(statuses).toEqual([...new Array(FAIL_OPEN_ALLOWANCE).fill(200), 503]);
    expect(answers.at(-1)?.headers.get("retry-after")).toBe("5");
    const byIsolate = { decided_by: "isolate", outcome: "admitted" };
    const counted = count.mock.calls.filter(([name]) => name === "limiter_admissions_total");
    expect(counted.map(([, labels]) => labels)).toEqual(Array(FAIL_OPEN_ALLOWANCE).fill(byIsolate));
  });

  test("a token whose session lives is served, and one whose session was ended is not", async () => {
    const account = await createLoggedInAccount();
    const stranger = await signToken({ userId: account.id, sessionId: newId() });
    breakObjects();
    const { from, token } = account;
    expect((await call("/api/users/me", { token, from })).status).toBe(200);
    expect((await call("/api/users/me", { token: stranger, from })).status).toBe(401);
    await env.DB.prepare("update sessions set ended_at = 1, end_reason = 'revoked' where user_id = ?")
      .bind(account.id)
      .run();
    const ended = await call("/api/users/me", { token, from });
    expect([ended.status, ended.json.code]).toEqual([401, "token_revoked"]);
  });

  test("auth budgets refuse with 503", async () => {
    breakObjects();
    const answer = await call("/api/auth/login", { json: { email: "ada@example.com", password: PASSWORD } });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
  });

  test("whatever revokes is not acknowledged, and changes nothing in D1", async () => {
    const [account, admin] = [await createLoggedInAccount(), await createAdmin()];
    await call("/api/auth/password/forgot", { json: { email: account.email } });
    const token = await lastTokenTo(account.email);
    const { json: sessions } = await account.call("/api/auth/sessions");
    const state = async () =>
      (
        await env.DB.batch([
          env.DB.prepare("select id, role, token_epoch, password_hash, version from users order by id"),
          env.DB.prepare("select id, ended_at from sessions order by id"),
          env.DB.prepare("select id, used_at from one_time_tokens order by id"),
        ])
      ).map(({ results }) => results);
    const before = await state();
    vi.spyOn(ClientLimiter.prototype, "revoke").mockRejectedValue(new Error("broken"));
    const path = `/api/users/${account.id}`;
    const json = { currentPassword: PASSWORD, newPassword: "a wholly new passphrase" };
    for (const [what, calling] of [
      ["logout", () => account.call("/api/auth/logout", { method: "POST" })],
      ["logout-all", () => account.call("/api/auth/logout-all", { method: "POST" })],
      ["session", () => account.call(`/api/auth/sessions/${sessions.data[0].id}`, { method: "DELETE" })],
      ["change", () => account.call("/api/auth/password/change", { json })],
      ["reset", () => call("/api/auth/password/reset", { json: { token, password: json.newPassword } })],
      ["role", () => admin.call(path, { method: "PATCH", json: { role: "admin" } })],
      ["deletion", () => account.call(path, { method: "DELETE" })],
    ] as const) {
      expect([what, (await calling()).status]).toEqual([what, 503]);
      expect([what, await state()]).toEqual([what, before]);
    }
  }, 60_000);
});
