import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { createAdmin, createLoggedInAccount, freshEmail, PASSWORD } from "../support/accounts";
import { call, freshAddress } from "../support/client";
import { sendCounted } from "../support/counted-app";
import { lastTokenTo } from "../support/mailbox";

// Password hashes are slow by design, and more so on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const guess = (email: string, from = freshAddress()) =>
  call("/api/auth/login", { from, json: { email, password: "a guess of a password" } });

async function statuses(calls: number, make: (index: number) => ReturnType<typeof call>): Promise<number[]> {
  const seen: number[] = [];
  for (let index = 0; index < calls; index += 1) seen.push((await make(index)).status);
  return seen;
}

test("the eleventh wrong password for one account is 429, from wherever it comes, known or unknown alike", async () => {
  const account = await createLoggedInAccount();
  for (const email of [account.email, freshEmail()]) {
    expect(await statuses(12, () => guess(email))).toEqual([...Array(10).fill(401), 429, 429]);
  }
  const refused = await guess(account.email);
  expect(refused.json.code).toBe("rate_limited");
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(refused.json["violated-policies"]).toEqual([expect.objectContaining({ policy: "loginPerAccount" })]);
  expect(refused.headers.get("ratelimit-policy")).toContain('"default"');
});

test("an account whose logins are refused keeps its live sessions, refreshes and changes its password", async () => {
  const account = await createLoggedInAccount();
  await statuses(11, () => guess(account.email));
  expect((await guess(account.email)).status).toBe(429);
  expect((await account.call("/api/users/me")).status).toBe(200);
  expect((await call("/api/auth/refresh", { json: { refreshToken: account.refreshToken } })).status).toBe(
    200,
  );
  const json = { currentPassword: PASSWORD, newPassword: "a wholly new passphrase" };
  expect((await account.call("/api/auth/password/change", { json })).status).toBe(204);
});

test("logins that succeed count for nothing", async () => {
  const account = await createLoggedInAccount();
  const json = { email: account.email, password: PASSWORD };
  expect(await statuses(12, () => call("/api/auth/login", { json }))).toEqual(Array(12).fill(200));
});

test("the address is one account however it is spelled", async () => {
  const account = await createLoggedInAccount();
  await statuses(10, (index) => guess(index % 2 === 0 ? account.email : account.email.toUpperCase()));
  expect((await guess(account.email)).status).toBe(429);
});

test("fifty wrong passwords from one address are the most, over any accounts, then 429", async () => {
  const from = "198.51.100.7";
  const seen = await statuses(51, (index) => guess(`nobody${index}@example.com`, from));
  expect(seen).toEqual([...Array(50).fill(401), 429]);
});

test("a wrong current password counts as a failed login of its own account", async () => {
  const account = await createLoggedInAccount();
  const json = { currentPassword: "a guess of a password", newPassword: "a wholly new passphrase" };
  const seen = await statuses(11, () => account.call("/api/auth/password/change", { json }));
  expect(seen).toEqual([...Array(10).fill(401), 429]);
  expect((await call("/api/auth/login", { json: { email: account.email, password: PASSWORD } })).status).toBe(
    200,
  );
});

test("five mails to one address are the most, and a stranger cannot tell whether any was sent", async () => {
  const account = await createLoggedInAccount();
  for (const email of [account.email, freshEmail()]) {
    const seen = await statuses(6, () => call("/api/auth/password/forgot", { json: { email } }));
    expect(seen).toEqual([202, 202, 202, 202, 202, 429]);
  }
});

test("guesses at one-time tokens are bounded by address", async () => {
  for (const [path, json] of [
    ["/api/auth/password/reset", { token: "guess", password: PASSWORD }],
    ["/api/auth/email/verify", { token: "guess" }],
  ] as const) {
    const from = freshAddress();
    const seen = await statuses(31, () => call(path, { from, json }));
    expect(seen).toEqual([...Array(30).fill(400), 429]);
  }
});

test("each endpoint spends the budget of its name, with the numbers that AUTH_BUDGETS gives it", async () => {
  const none = { limit: 1, windowSeconds: 60 };
  const AUTH_BUDGETS = JSON.stringify({
    ...{ loginPerIp: none, signUpPerIp: none, forgotPerIp: none },
    ...{ resetPerIp: none, verifyPerIp: none, refreshPerIp: none },
  });
  const email = freshEmail();
  for (const [path, budget, json] of [
    ["/api/users", "signUpPerIp", { name: "Ada Lovelace", email }],
    ["/api/auth/login", "loginPerIp", { email, password: "a guess of a password" }],
    ["/api/auth/refresh", "refreshPerIp", { refreshToken: "guess" }],
    ["/api/auth/password/forgot", "forgotPerIp", { email }],
    ["/api/auth/password/reset", "resetPerIp", { token: "guess", password: PASSWORD }],
    ["/api/auth/email/verify", "verifyPerIp", { token: "guess" }],
  ] as const) {
    const headers = { "CF-Connecting-IP": freshAddress(), "Content-Type": "application/json" };
    const send = async () => {
      const request = new Request(`https://meridian.example${path}`, {
        method: "POST",
        headers,
        body: JSON.stringify(json),
      });
      return (await sendCounted(request, { AUTH_BUDGETS } as Partial<Env>)).response;
    };
    expect([path, (await send()).status]).not.toEqual([path, 429]);
    const refused = await send();
    expect([path, refused.status]).toEqual([path, 429]);
    expect(Number(refused.headers.get("retry-after"))).toBeLessThanOrEqual(64);
    expect(await refused.json()).toMatchObject({ "violated-policies": [{ policy: budget }] });
  }
});

test("sign-ups are bounded by address, taken ones included, and a replay spends none", async () => {
  const from = "198.51.100.8";
  const keyed = {
    from,
    headers: { "Idempotency-Key": "once" },
    json: { name: "Ada Lovelace", email: freshEmail() },
  };
  expect((await call("/api/users", keyed)).status).toBe(201);
  const seen = await statuses(49, () => call("/api/users", { from, json: keyed.json }));
  expect(seen).toEqual(Array(49).fill(409));
  const replayed = await call("/api/users", keyed);
  expect(replayed.status).toBe(201);
  expect(replayed.headers.get("idempotency-replayed")).toBe("true");
  expect((await call("/api/users", { from, json: { name: "One More", email: freshEmail() } })).status).toBe(
    429,
  );
});

test("who did what to whom is written with each change, redacted, for admins to read", async () => {
  const admin = await createAdmin();
  const account = await createLoggedInAccount();
  await admin.call(`/api/users/${account.id}`, { method: "PATCH", json: { role: "admin" } });
  await admin.call(`/api/users/${account.id}`, { method: "DELETE" });
  const answer = await admin.call(`/api/audit?subject=user:${account.id}&limit=2`);
  expect(answer.status).toBe(200);
  const next = await admin.call(`/api/audit?subject=user:${account.id}&after=${answer.json.nextCursor}`);
  const entries = [...answer.json.data, ...next.json.data];
  expect(entries.map((entry: { actor: string; action: string }) => [entry.actor, entry.action])).toEqual([
    ["anonymous", "user.sign_up"],
    [`user:${account.id}`, "session.start"],
    [`user:${admin.id}`, "user.update"],
    [`user:${admin.id}`, "user.delete"],
  ]);
  expect(entries[2].details).toEqual({ fields: ["role"], role: "admin" });
  expect(next.json.nextCursor).toBeNull();
  const { results } = await env.DB.prepare("select * from audit_log").all();
  expect(JSON.stringify(results)).not.toContain(account.email);
  const byActor = await admin.call(`/api/audit?actor=user:${admin.id}`);
  expect(byActor.json.data).toHaveLength(2);
});

test("the audit trail is for admins, and its parameters are checked", async () => {
  const account = await createLoggedInAccount();
  expect((await account.call("/api/audit")).status).toBe(403);
  expect((await call("/api/audit")).status).toBe(401);
  const admin = await createAdmin();
  for (const query of [
    "limit=0",
    "limit=101",
    "limit=abc",
    "after=x",
    "actor=%00",
    "subject=' or 1=1",
    "since=1",
  ]) {
    expect([query, (await admin.call(`/api/audit?${query}`)).status]).toEqual([query, 400]);
  }
});

test("with a key a change of password is safe to repeat, and a replay spends no budget", async () => {
  const account = await createLoggedInAccount();
  const keyed = (json: object) => ({ headers: { "Idempotency-Key": "once" }, json });
  const change = keyed({ currentPassword: PASSWORD, newPassword: "a wholly new passphrase" });
  for (let index = 0; index < 12; index += 1) {
    expect((await account.call("/api/auth/password/change", change)).status).toBe(204);
  }
  const other = keyed({ currentPassword: PASSWORD, newPassword: "another passphrase" });
  expect((await account.call("/api/auth/password/change", other)).json.code).toBe("idempotency_key_reused");
});

test("what answers with a token, or is called with a one-time token, is not recorded under a key", async () => {
  const account = await createLoggedInAccount();
  const keyed = (json: object) => ({ from: account.from, headers: { "Idempotency-Key": "once" }, json });
  const logIn = keyed({ email: account.email, password: PASSWORD });
  const [first, second] = [await call("/api/auth/login", logIn), await call("/api/auth/login", logIn)];
  expect(second.json.refreshToken).not.toBe(first.json.refreshToken);
  await call("/api/auth/password/forgot", { json: { email: account.email } });
  const reset = keyed({ token: await lastTokenTo(account.email), password: "yet another passphrase" });
  expect((await call("/api/auth/password/reset", reset)).status).toBe(204);
  expect((await call("/api/auth/password/reset", reset)).json.code).toBe("token_invalid");
  const { results } = await env.DB.prepare("select * from idempotency_records").all();
  expect(results).toEqual([]);
});
