import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import {
  type Account,
  createAccount,
  createAdmin,
  createLoggedInAccount,
  freshEmail,
  PASSWORD,
} from "../support/accounts";
import { call, freshAddress } from "../support/client";
import { sendCounted } from "../support/counted-app";
import { lastTokenTo, mailsSent } from "../support/mailbox";

// Password hashes are slow by design, and more so on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const NEW_PASSWORD = "a wholly new passphrase";

async function rows<Row>(query: string, ...params: unknown[]): Promise<Row[]> {
  const { results } = await env.DB.prepare(query)
    .bind(...params)
    .all<Row>();
  return results;
}

const forgot = (email: string) => call("/api/auth/password/forgot", { json: { email } });
const reset = (token: string, password = NEW_PASSWORD) =>
  call("/api/auth/password/reset", { json: { token, password } });
const verify = (token: string) => call("/api/auth/email/verify", { json: { token } });
const logIn = (email: string, password: string) => call("/api/auth/login", { json: { email, password } });
const change = (account: Account, currentPassword: string, newPassword: string) =>
  account.call("/api/auth/password/change", { json: { currentPassword, newPassword } });

async function resetTokenOf(account: Account): Promise<string> {
  await forgot(account.email);
  return await lastTokenTo(account.email);
}

describe("forgot", () => {
  test("answers 202 with nothing, whether or not the address is known", async () => {
    const account = await createLoggedInAccount();
    const [known, unknown] = [await forgot(account.email), await forgot(freshEmail())];
    for (const answer of [known, unknown]) {
      expect(answer.status).toBe(202);
      expect(answer.text).toBe("");
    }
    const names = (headers: Headers) => [...headers.keys()].sort();
    expect(names(known.headers)).toEqual(names(unknown.headers));
  });

  test("runs as many statements and round trips for a stranger, and one audit row tells of each", async () => {
    const account = await createAccount();
    const spentOn = async (email: string) => {
      const headers = { "Content-Type": "application/json", "CF-Connecting-IP": freshAddress() };
      const body = JSON.stringify({ email });
      const url = "https://meridian.example/api/auth/password/forgot";
      const { before } = await sendCounted(new Request(url, { method: "POST", headers, body }));
      // Rows differ: a few milliseconds, which the floor under both answers hides.
      const { d1RowsRead: _, d1RowsWritten: __, ...asked } = before;
      return asked;
    };
    const known = await spentOn(account.email);
    expect(known).toMatchObject({ d1RoundTrips: 2, kvReads: 0, queueSends: 0 });
    expect(await spentOn(freshEmail())).toEqual(known);
    expect(
      await rows("select subject from audit_log where action = 'password.forgot' order by sequence"),
    ).toEqual([{ subject: `user:${account.id}` }, { subject: "unknown" }]);
    expect(await rows("select * from one_time_tokens where purpose = 'password_reset'")).toHaveLength(1);
    expect(await rows("select * from outbox_events where type = 'password.reset_requested'")).toHaveLength(1);
  });

  test("mails a link under our own address; token and address are neither in the log nor in the tables", async () => {
    const account = await createLoggedInAccount();
    await call("/api/auth/password/forgot", {
      json: { email: account.email },
      headers: { Host: "evil.example", "X-Forwarded-Host": "evil.example", Origin: "https://evil.example" },
    });
    const token = await lastTokenTo(account.email);
    const mail = (await mailsSent()).find((sent) => sent.event === "password.reset_requested");
    expect(mail?.text).toContain(`http://localhost:8787/reset-password?token=${token}`);
    expect(JSON.stringify(mail)).not.toContain("evil");
    const events = JSON.stringify(await rows("select * from outbox_events where type like 'password%'"));
    expect(events).not.toContain(token);
    expect(events).not.toContain(account.email);
    expect(JSON.stringify(await rows("select * from one_time_tokens"))).not.toContain(token);
  });

  test("a field more, a redirect for instance, is refused", async () => {
    const answer = await call("/api/auth/password/forgot", {
      json: { email: freshEmail(), redirectTo: "https://evil.example" },
    });
    expect(answer.status).toBe(400);
    expect(answer.json.errors[0].pointer).toBe("#/redirectTo");
  });
});

describe("reset", () => {
  test("sets the password, proves the address and ends every session", async () => {
    const account = await createLoggedInAccount();
    const { json: other } = await logIn(account.email, PASSWORD);
    const token = await resetTokenOf(account);
    expect((await reset(token)).status).toBe(204);
    for (const accessToken of [account.token, other.accessToken]) {
      expect((await call("/api/users/me", { token: accessToken })).json.code).toBe("token_revoked");
    }
    for (const refreshToken of [account.refreshToken, other.refreshToken]) {
      expect((await call("/api/auth/refresh", { json: { refreshToken } })).json.code).toBe("token_revoked");
    }
    expect((await logIn(account.email, PASSWORD)).status).toBe(401);
    const { json: fresh } = await logIn(account.email, NEW_PASSWORD);
    expect(fresh.user.emailVerified).toBe(true);
    const me = await call("/api/users/me", { token: fresh.accessToken });
    expect(me.json.emailVerified).toBe(true);
    expect(await rows("select * from sessions where ended_at is null")).toHaveLength(1);
    expect(await rows("select * from outbox_events where type = 'password.changed'")).toHaveLength(1);
    expect(await rows("select * from audit_log where action = 'password.reset'")).toHaveLength(1);
  });

  test("tells the owner, whose mail holds no link to click", async () => {
    const account = await createLoggedInAccount();
    await reset(await resetTokenOf(account));
    const notice = (await mailsSent()).find((mail) => mail.event === "password.changed");
    expect(notice?.to).toBe(account.email);
    expect(notice?.text).not.toContain("http");
  });

  test("a token works once, and of twelve, four at a time, one wins", async () => {
    const account = await createLoggedInAccount();
    const token = await resetTokenOf(account);
    const answers = [];
    // Four hashes at a time is what an isolate takes.
    for (const batch of [0, 1, 2]) {
      const passwords = [0, 1, 2, 3].map((index) => `${NEW_PASSWORD} ${batch} ${index}`);
      answers.push(...(await Promise.all(passwords.map((password) => reset(token, password)))));
    }
    const statuses = answers.map((answer) => answer.status);
    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 204)) {
      expect([400, 503]).toContain(answer.status);
    }
    expect((await reset(token)).json.code).toBe("token_invalid");
    expect(await rows("select * from outbox_events where type = 'password.changed'")).toHaveLength(1);
  });

  test("a refused password leaves the token good", async () => {
    const account = await createLoggedInAccount();
    const token = await resetTokenOf(account);
    for (const password of ["short", "password1234", account.email]) {
      const answer = await reset(token, password);
      expect(answer.status).toBe(400);
      expect(answer.json.code).toBe("validation_failed");
      expect(answer.json.errors[0].pointer).toBe("#/password");
    }
    expect((await reset(token)).status).toBe(204);
  });

  test("a newer token replaces the older one", async () => {
    const account = await createLoggedInAccount();
    const older = await resetTokenOf(account);
    const newer = await resetTokenOf(account);
    expect(newer).not.toBe(older);
    expect((await reset(older)).json.code).toBe("token_invalid");
    expect((await reset(newer)).status).toBe(204);
  });

  test("an expired token is not valid", async () => {
    const account = await createLoggedInAccount();
    const token = await resetTokenOf(account);
    const [row] = await rows<{ created_at: number; expires_at: number }>(
      "select * from one_time_tokens where purpose = 'password_reset'",
    );
    expect((row?.expires_at ?? 0) - (row?.created_at ?? 0)).toBe(1_800_000);
    await env.DB.prepare("update one_time_tokens set expires_at = ?").bind(Date.now()).run();
    expect((await reset(token)).json.code).toBe("token_invalid");
  });

  test.each(["x", "A".repeat(43), "../../etc/passwd", "' or 1=1 --"])("%s is not a token", async (token) => {
    const answer = await reset(token);
    expect(answer.status).toBe(400);
    expect(answer.json.code).toBe("token_invalid");
  });

  test("a token for another purpose is not valid, and stays good for its own", async () => {
    const account = await createLoggedInAccount();
    const verification = await lastTokenTo(account.email);
    expect((await reset(verification)).json.code).toBe("token_invalid");
    const resetToken = await resetTokenOf(account);
    expect((await verify(resetToken)).json.code).toBe("token_invalid");
    expect((await verify(account.refreshToken)).json.code).toBe("token_invalid");
    expect((await verify(verification)).status).toBe(204);
    expect((await reset(resetToken)).status).toBe(204);
  });

  test("a token mailed to an address is void when the account has another", async () => {
    const account = await createLoggedInAccount();
    const admin = await createAdmin();
    const token = await resetTokenOf(account);
    await admin.call(`/api/users/${account.id}`, { method: "PATCH", json: { email: freshEmail() } });
    expect((await reset(token)).json.code).toBe("token_invalid");
  });

  test("drops a change of address that somebody else may have asked for", async () => {
    const account = await createLoggedInAccount();
    const theirs = freshEmail();
    await account.call(`/api/users/${account.id}`, { method: "PATCH", json: { email: theirs } });
    const confirmation = await lastTokenTo(theirs);
    await reset(await resetTokenOf(account));
    expect((await verify(confirmation)).json.code).toBe("token_invalid");
    const { json } = await logIn(account.email, NEW_PASSWORD);
    expect(json.user).toMatchObject({ email: account.email, pendingEmail: null });
  });

  test("gives an account without a password its first", async () => {
    const email = freshEmail();
    await call("/api/users", { json: { name: "No Password", email } });
    await forgot(email);
    expect((await reset(await lastTokenTo(email))).status).toBe(204);
    expect((await logIn(email, NEW_PASSWORD)).status).toBe(200);
  });
});

describe("change of password", () => {
  test("ends every other session and leaves the caller's, with its tokens", async () => {
    const account = await createLoggedInAccount();
    const { json: other } = await logIn(account.email, PASSWORD);
    expect((await change(account, PASSWORD, NEW_PASSWORD)).status).toBe(204);
    expect((await account.call("/api/users/me")).status).toBe(200);
    const refreshed = await call("/api/auth/refresh", { json: { refreshToken: account.refreshToken } });
    expect(refreshed.status).toBe(200);
    expect((await call("/api/users/me", { token: other.accessToken })).json.code).toBe("token_revoked");
    expect((await call("/api/auth/refresh", { json: { refreshToken: other.refreshToken } })).status).toBe(
      401,
    );
    expect((await logIn(account.email, PASSWORD)).status).toBe(401);
    expect((await logIn(account.email, NEW_PASSWORD)).status).toBe(200);
    expect(await rows("select * from outbox_events where type = 'password.changed'")).toHaveLength(1);
  });

  test("needs the old one, and names the field that is wrong with the new", async () => {
    const account = await createLoggedInAccount();
    const wrong = await change(account, "not the old password", NEW_PASSWORD);
    expect(wrong.status).toBe(401);
    expect(wrong.json.code).toBe("invalid_credentials");
    const weak = await change(account, PASSWORD, "qwertyuiop12");
    expect(weak.status).toBe(400);
    expect(weak.json.errors[0].pointer).toBe("#/newPassword");
    expect((await logIn(account.email, PASSWORD)).status).toBe(200);
    expect(
      (
        await call("/api/auth/password/change", {
          json: { currentPassword: PASSWORD, newPassword: NEW_PASSWORD },
        })
      ).status,
    ).toBe(401);
  });

  test("voids a reset that was asked for before", async () => {
    const account = await createLoggedInAccount();
    const token = await resetTokenOf(account);
    await change(account, PASSWORD, NEW_PASSWORD);
    expect((await reset(token, "yet another passphrase")).json.code).toBe("token_invalid");
  });
});

describe("addresses", () => {
  test("the welcome mail's link proves the address, once", async () => {
    const account = await createLoggedInAccount();
    const welcome = (await mailsSent()).find((mail) => mail.to === account.email);
    expect(welcome?.subject).toContain("Welcome");
    const token = await lastTokenTo(account.email);
    expect((await verify(token)).status).toBe(204);
    expect((await account.call("/api/users/me")).json.emailVerified).toBe(true);
    expect((await verify(token)).json.code).toBe("token_invalid");
  });

  test("resend mails a newer token that replaces the older, and nothing when nothing waits for proof", async () => {
    const account = await createLoggedInAccount();
    const older = await lastTokenTo(account.email);
    expect((await account.call("/api/auth/email/resend", { method: "POST" })).status).toBe(202);
    const newer = await lastTokenTo(account.email);
    expect(newer).not.toBe(older);
    expect((await verify(older)).json.code).toBe("token_invalid");
    expect((await verify(newer)).status).toBe(204);
    expect((await account.call("/api/auth/email/resend", { method: "POST" })).status).toBe(202);
    expect(
      await rows("select * from outbox_events where type = 'email.verification_requested'"),
    ).toHaveLength(1);
  });

  test("a change waits for a token mailed to the new address, and the old one is told", async () => {
    const account = await createLoggedInAccount();
    const next = freshEmail();
    const patched = await account.call(`/api/users/${account.id}`, {
      method: "PATCH",
      json: { email: next },
    });
    expect(patched.json).toMatchObject({ email: account.email, pendingEmail: next });
    const mails = (await mailsSent()).filter((mail) => mail.event === "email.change_requested");
    expect(mails.map((mail) => mail.to).sort()).toEqual([account.email, next].sort());
    expect(mails.find((mail) => mail.to === account.email)?.text).not.toContain("?token=");
    expect((await logIn(next, PASSWORD)).status).toBe(401);
    expect((await verify(await lastTokenTo(next))).status).toBe(204);
    const { json } = await logIn(next, PASSWORD);
    expect(json.user).toMatchObject({ email: next, pendingEmail: null, emailVerified: true });
    expect((await logIn(account.email, PASSWORD)).status).toBe(401);
    expect((await account.call("/api/users/me")).json.email).toBe(next);
    // A notice that comes late, after the change, is still for whom it warns.
    const notices = (await mailsSent()).filter((mail) => mail.consumer === "security-notice");
    expect(notices.map((mail) => mail.to)).toEqual([account.email]);
  });

  test("a change to a taken address answers as any other, tells its holder, and cannot be confirmed", async () => {
    const account = await createLoggedInAccount();
    const holder = await createAccount({ name: "Holder Of It" });
    const free = await account.call(`/api/users/${account.id}`, {
      method: "PATCH",
      json: { email: freshEmail() },
    });
    const taken = await account.call(`/api/users/${account.id}`, {
      method: "PATCH",
      json: { email: holder.email },
    });
    expect(taken.status).toBe(free.status);
    expect(Object.keys(taken.json)).toEqual(Object.keys(free.json));
    expect(taken.json.pendingEmail).toBe(holder.email);
    const told = (await mailsSent()).filter(
      (mail) => mail.consumer === "email-change-mail" && mail.to === holder.email,
    );
    expect(told).toHaveLength(1);
    expect(told[0]?.text).not.toContain("?token=");
  });

  test("an address that is taken between request and confirmation is token_invalid", async () => {
    const account = await createLoggedInAccount();
    const next = freshEmail();
    await account.call(`/api/users/${account.id}`, { method: "PATCH", json: { email: next } });
    const token = await lastTokenTo(next);
    await call("/api/users", { json: { name: "Faster One", email: next } });
    expect((await verify(token)).json.code).toBe("token_invalid");
    expect((await account.call("/api/users/me")).json.email).toBe(account.email);
  });

  test("the token for one address does not confirm another that was asked for later", async () => {
    const account = await createLoggedInAccount();
    const [first, second] = [freshEmail(), freshEmail()];
    await account.call(`/api/users/${account.id}`, { method: "PATCH", json: { email: first } });
    const token = await lastTokenTo(first);
    await account.call(`/api/users/${account.id}`, { method: "PATCH", json: { email: second } });
    expect((await verify(token)).json.code).toBe("token_invalid");
    expect((await account.call("/api/users/me")).json).toMatchObject({
      email: account.email,
      pendingEmail: second,
    });
  });

  test("more than five requests in a quarter of an hour mail nobody: no stranger, no holder, not the old address", async () => {
    const account = await createLoggedInAccount();
    const holder = await createAccount();
    const mailed: string[] = [];
    for (let index = 0; index < 8; index += 1) {
      const email = index === 6 ? holder.email : freshEmail();
      await account.call(`/api/users/${account.id}`, { method: "PATCH", json: { email } });
      // Earlier requests are replaced by now, so these are of the last one.
      const mails = (await mailsSent()).filter((mail) => mail.event === "email.change_requested");
      mailed.push(...mails.map(({ consumer }) => `${index} ${consumer}`));
    }
    expect(mailed).toEqual(
      [0, 1, 2, 3, 4].flatMap((index) => [`${index} email-change-mail`, `${index} security-notice`]),
    );
    expect(await rows("select * from one_time_tokens where purpose = 'email_change'")).toHaveLength(5);
  });
});

test("a name can start no header and no markup of a mail", async () => {
  const refused = await call("/api/users", {
    json: { name: "Eve\r\nBcc: victim@example.com", email: freshEmail() },
  });
  expect(refused.status).toBe(400);
  const email = freshEmail();
  await call("/api/users", { json: { name: '<a href="https://evil.example">Click</a>', email } });
  await forgot(email);
  const mails = (await mailsSent()).filter((mail) => mail.to === email);
  expect(mails.length).toBeGreaterThanOrEqual(2);
  for (const mail of mails) {
    expect(mail.subject).not.toContain("Click");
    expect(mail.html).not.toContain('href="https://evil.example"');
  }
});
