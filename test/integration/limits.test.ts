import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { callBy } from "../../src/platform/call";
import { configOf } from "../../src/platform/env";
import { type CallKey, NO_KEY } from "../../src/platform/idempotency";
import { wire } from "../../src/wiring";
import { createAccount, createAdmin } from "../support/accounts";
import { freshAddress } from "../support/client";
import { ADMIN, codeOf, countOf } from "../support/orders";
import { testScope } from "../support/scope";

test("only administrators see, set or clear a limit", async () => {
  const user = await createAccount();
  for (const method of ["GET", "PUT", "DELETE"]) {
    const options = method === "PUT" ? { method, json: { limit: 5 } } : { method };
    const own = await user.call(`/api/limits/user:${user.id}`, options);
    expect([method, own.status, own.json.code]).toEqual([method, 403, "forbidden"]);
  }
});

test("a client without an override has the policy's numbers, and what it spent shows", async () => {
  const [admin, user] = [await createAdmin(), await createAccount()];
  for (let count = 0; count < 3; count += 1) await user.call("/api/users/me");
  const shown = await admin.call(`/api/limits/user:${user.id}`);
  expect(shown.json).toMatchObject({
    client: `user:${user.id}`,
    source: "default",
    plan: null,
    limit: 100,
    windowSeconds: 900,
    isShadow: false,
  });
  expect(shown.json.current.spent).toBeGreaterThanOrEqual(3);
  expect(shown.json.current.remaining).toBe(100 - shown.json.current.spent);
  // The window may have moved on by a second since.
  const current = { ...shown.json.current, resetSeconds: expect.any(Number) };
  expect((await admin.call(`/api/limits/${user.id}`)).json).toEqual({ ...shown.json, current });
});

test("a client's own numbers hold in its headers and its refusals, and clearing gives it the policy's and a free budget", async () => {
  const [admin, user] = [await createAdmin(), await createAccount()];
  const path = `/api/limits/user:${user.id}`;
  const set = await admin.call(path, { method: "PUT", json: { limit: 3, windowSeconds: 60 } });
  expect([set.status, set.json.source, set.json.limit, set.json.windowSeconds]).toEqual([
    200,
    "override",
    3,
    60,
  ]);
  const statuses = [];
  for (let count = 0; count < 5; count += 1) {
    const answer = await user.call("/api/users/me");
    statuses.push([answer.status, answer.headers.get("ratelimit-policy")]);
  }
  const policy = '"default";q=3;w=60';
  expect(statuses).toEqual([...new Array(3).fill([200, policy]), ...new Array(2).fill([429, policy])]);
  expect((await admin.call(path, { method: "DELETE" })).status).toBe(204);
  expect((await admin.call(path)).json).toMatchObject({
    source: "default",
    limit: 100,
    current: { spent: 0 },
  });
  const rows = await env.DB.prepare(
    "select action, subject from audit_log where action like 'limit.%' order by sequence",
  ).all();
  expect(rows.results).toEqual([
    { action: "limit.set", subject: `user:${user.id}` },
    { action: "limit.clear", subject: `user:${user.id}` },
  ]);
});

test("in shadow mode a client is admitted over its limit", async () => {
  const [admin, user] = [await createAdmin(), await createAccount()];
  await admin.call(`/api/limits/user:${user.id}`, { method: "PUT", json: { limit: 1, isShadow: true } });
  for (let count = 0; count < 4; count += 1) expect((await user.call("/api/users/me")).status).toBe(200);
});

test("a plan's numbers are its clients', also after it changed, and when it goes they have the policy's", async () => {
  const [admin, user] = [await createAdmin(), await createAccount()];
  const client = `/api/limits/user:${user.id}`;
  const unknown = await admin.call(client, { method: "PUT", json: { plan: "gold" } });
  expect([unknown.status, unknown.json.errors[0].pointer]).toEqual([400, "#/plan"]);
  await admin.call("/api/limits/plan:gold", { method: "PUT", json: { limit: 1_000 } });
  const joined = await admin.call(client, { method: "PUT", json: { plan: "gold" } });
  expect(joined.json).toMatchObject({ source: "plan", plan: "gold", limit: 1_000 });
  expect((await user.call("/api/users/me")).headers.get("ratelimit-policy")).toBe('"default";q=1000;w=900');
  const changed = await admin.call("/api/limits/plan:gold", { method: "PUT", json: { limit: 2_000 } });
  expect(changed.json).toEqual({
    plan: "gold",
    limit: 2_000,
    windowSeconds: 900,
    isShadow: false,
    clients: [`user:${user.id}`],
  });
  expect((await env.CLIENT_LIMITER.getByName(`user:${user.id}`).report()).override?.limit).toBe(2_000);
  expect((await admin.call("/api/limits/plan:gold")).json).toEqual(changed.json);
  expect((await admin.call("/api/limits/plan:gold", { method: "DELETE" })).status).toBe(204);
  expect((await env.CLIENT_LIMITER.getByName(`user:${user.id}`).report()).override).toBeNull();
  expect((await admin.call(client)).json.source).toBe("default");
  expect((await admin.call("/api/limits/plan:gold")).status).toBe(404);
});

test("a client does not join a plan that goes away meanwhile", async () => {
  const [admin, user] = [await createAdmin(), await createAccount()];
  await admin.call("/api/limits/plan:gold", { method: "PUT", json: { limit: 1_000 } });
  const key: CallKey = {
    ...NO_KEY,
    async open(database, reads) {
      const opened = await NO_KEY.open(database, reads);
      expect((await admin.call("/api/limits/plan:gold", { method: "DELETE" })).status).toBe(204);
      return opened;
    },
  };
  const { limits } = wire(env, configOf(env), testScope());
  const client = `user:${user.id}` as const;
  const joined = await limits.set(callBy(ADMIN, { key }), { kind: "client", client }, { plan: "gold" });
  expect(codeOf(joined)).toBe("unavailable");
  expect(await countOf("limit_overrides")).toBe(0);
  expect(await countOf("audit_log", `action = 'limit.set' and subject = '${client}'`)).toBe(0);
  expect((await env.CLIENT_LIMITER.getByName(client).report()).override).toBeNull();
});

test("an address stands for its network, and what names nobody is refused", async () => {
  const admin = await createAdmin();
  const address = freshAddress();
  const shown = await admin.call(`/api/limits/ip:${address}`);
  expect(shown.json.client).toMatch(/^ip:[0-9a-f:]+::\/64$/);
  const again = await admin.call(`/api/limits/${encodeURIComponent(shown.json.client)}`);
  expect(again.json.client).toBe(shown.json.client);
  for (const name of ["nobody", "user:1", "ip:", "ip:nonsense", "plan:", "plan:UPPER"]) {
    const refused = await admin.call(`/api/limits/${name}`);
    expect([name, refused.status, refused.json.errors?.[0].pointer]).toEqual([name, 400, "#/path/client"]);
  }
});

test("numbers out of range and unknown fields are refused with their pointer", async () => {
  const [admin, user] = [await createAdmin(), await createAccount()];
  const put = (path: string, json: unknown) => admin.call(`/api/limits/${path}`, { method: "PUT", json });
  const refused = [
    await put(user.id, {}),
    await put(user.id, { limit: 0 }),
    await put(user.id, { limit: 5, windowSeconds: 0 }),
    await put(user.id, { limit: 5, plan: "gold" }),
    await put("plan:gold", { plan: "gold" }),
  ];
  expect(refused.map(({ status, json }) => [status, json.errors?.[0]?.pointer])).toEqual([
    [400, "#/limit"],
    [400, "#/limit"],
    [400, "#/windowSeconds"],
    [400, "#/plan"],
    [400, "#/plan"],
  ]);
});
