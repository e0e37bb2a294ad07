import { env } from "cloudflare:workers";
import { afterEach, expect, test } from "vitest";
import { callBy } from "../../src/platform/call";
import { newId } from "../../src/platform/clock";
import { configOf } from "../../src/platform/env";
import { PasswordHasher } from "../../src/platform/password-hasher";
import type { AuthDependencies } from "../../src/services/auth/auth-dependencies";
import { RecoveryService } from "../../src/services/auth/recovery";
import { AuthService } from "../../src/services/auth/service";
import { createAccount, createLoggedInAccount, PASSWORD, signToken } from "../support/accounts";
import { authDependencies } from "../support/auth-dependencies";
import { call } from "../support/client";
import { lastTokenTo } from "../support/mailbox";
import { replaced } from "../support/replaced";
import { settled, testScope } from "../support/scope";

afterEach(settled);

/** Dependencies whose password work is followed at once by somebody else's write, as in a race that is lost. */
function interrupted(statement: string): AuthDependencies {
  const dependencies = authDependencies(env, configOf(env), testScope(Date.now));
  class InterruptedHasher extends PasswordHasher {
    override async verify(password: string, stored: string | null) {
      const check = await super.verify(password, stored);
      await env.DB.prepare(statement).run();
      return check;
    }
    override async hash(password: string) {
      const hash = await super.hash(password);
      await env.DB.prepare(statement).run();
      return hash;
    }
  }
  return replaced(dependencies, { hasher: new InterruptedHasher(Date.now) });
}

async function count(query: string): Promise<number> {
  return (await env.DB.prepare(query).all()).results.length;
}

test("a login with the old password does not outlive a reset that was committed while it ran", async () => {
  const account = await createAccount({ password: PASSWORD });
  const auth = new AuthService(interrupted("update users set token_epoch = token_epoch + 1"));
  await expect(auth.logIn(callBy(), { email: account.email, password: PASSWORD })).rejects.toMatchObject({
    code: "unavailable",
  });
  expect(await count("select id from sessions")).toBe(0);
  expect(await count("select digest from refresh_tokens")).toBe(0);
  expect(await count("select * from audit_log where action = 'session.start'")).toBe(0);
});

test("nor a change of password", async () => {
  const account = await createAccount({ password: PASSWORD });
  const auth = new AuthService(interrupted("update users set password_hash = 'another'"));
  await expect(auth.logIn(callBy(), { email: account.email, password: PASSWORD })).rejects.toMatchObject({
    code: "unavailable",
  });
  expect(await count("select id from sessions")).toBe(0);
});

test("a login with the old password while the new one is hashed ends with the change, in D1 and in the object", async () => {
  const account = await createLoggedInAccount();
  const late = newId();
  const recovery = new RecoveryService(
    interrupted(
      `insert or ignore into sessions (id, user_id, device, created_at, last_seen_at, expires_at)
       values ('${late}', '${account.id}', 'x', 1, 1, 9999999999999)`,
    ),
  );
  const { json } = await account.call("/api/auth/sessions");
  const [{ id: own }] = json.data;
  const actor = { kind: "user", userId: account.id, role: "user", sessionId: own } as const;
  const input = { currentPassword: PASSWORD, newPassword: "a wholly new passphrase" };
  expect((await recovery.changePassword(callBy(actor), input)).ok).toBe(true);
  expect(await count(`select id from sessions where ended_at is null and id = '${own}'`)).toBe(1);
  expect(await count("select id from sessions where ended_at is null")).toBe(1);
  const theirs = await signToken({ userId: account.id, sessionId: late });
  expect((await call("/api/users/me", { token: theirs })).json.code).toBe("token_revoked");
  expect((await account.call("/api/users/me")).status).toBe(200);
});

test("a reset that races with a change of role is tried again, with its token still good", async () => {
  const account = await createAccount({ password: PASSWORD });
  await call("/api/auth/password/forgot", { json: { email: account.email } });
  const token = await lastTokenTo(account.email);
  const recovery = new RecoveryService(interrupted("update users set token_epoch = token_epoch + 1"));
  const input = { token, password: "a wholly new passphrase" };
  await expect(recovery.resetPassword(callBy(), input)).rejects.toMatchObject({ code: "unavailable" });
  expect(await count("select * from outbox_events where type = 'password.changed'")).toBe(0);
  expect((await call("/api/auth/password/reset", { json: input })).status).toBe(204);
});

test("of two changes of password at once one wins, and the other changes nothing", async () => {
  const account = await createAccount({ password: PASSWORD });
  const recovery = new RecoveryService(interrupted("update users set password_hash = 'the other one'"));
  const actor = { kind: "user", userId: account.id, role: "user", sessionId: null } as const;
  const input = { currentPassword: PASSWORD, newPassword: "a wholly new passphrase" };
  await expect(recovery.changePassword(callBy(actor), input)).rejects.toMatchObject({ code: "unavailable" });
  expect(await count("select id from users where password_hash = 'the other one'")).toBe(1);
  expect(await count("select * from outbox_events where type = 'password.changed'")).toBe(0);
});
