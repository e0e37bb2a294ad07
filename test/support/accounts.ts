/**
 * People for tests. They sign up over the API; their access tokens are signed here with the test keys, which saves each
 * test two password hashes. Tests of logging in itself use the API.
 */
import { env } from "cloudflare:workers";
import { newId, systemClock } from "../../src/platform/clock";
import { readConfig } from "../../src/platform/env";
import { AccessTokens } from "../../src/services/auth/access-tokens";
import { KeySet } from "../../src/services/auth/key-set";
import { TokenMemory } from "../../src/services/auth/token-memory";
import { type Call, call, freshAddress } from "./client";

/** Accepted by the password policy. */
export const PASSWORD = "correct horse battery staple";

export interface Account {
  readonly id: string;
  readonly email: string;
  readonly token: string;
  /** The bookmark of the sign-up. */
  readonly bookmark: string;
  /** The address it calls from. */
  readonly from: string;
  /** Calls with this account's token, from its address. */
  call(path: string, options?: Call): ReturnType<typeof call>;
}

let people = 0;

export function freshEmail(): string {
  people += 1;
  return `person${people}@example.com`;
}

/** A user, without a password unless the details have one. */
export async function createAccount(details: Record<string, unknown> = {}): Promise<Account> {
  return await accountOf({ name: "Ada Lovelace", ...details }, "user");
}

export interface LoggedInAccount extends Account {
  readonly refreshToken: string;
}

/** A user with a password, logged in over the API: two password hashes slower, with a session of its own. */
export async function createLoggedInAccount(details: Record<string, unknown> = {}): Promise<LoggedInAccount> {
  const account = await createAccount({ password: PASSWORD, ...details });
  const json = { email: account.email, password: PASSWORD };
  const answer = await call("/api/auth/login", { from: account.from, json });
  if (answer.status !== 200) throw new Error(`login answered ${answer.status}: ${answer.text}`);
  const { accessToken: token, refreshToken } = answer.json;
  return {
    ...account,
    token,
    refreshToken,
    call: (path, options = {}) => call(path, { token, from: account.from, ...options }),
  };
}

/** A user whom the database was told to be an admin. */
export async function createAdmin(): Promise<Account> {
  return await accountOf({ name: "Grace Hopper" }, "admin");
}

async function accountOf(details: Record<string, unknown>, role: "user" | "admin"): Promise<Account> {
  const from = freshAddress();
  const created = await call("/api/users", { from, json: { email: freshEmail(), ...details } });
  if (created.status !== 201) throw new Error(`sign-up answered ${created.status}: ${created.text}`);
  const { id, email } = created.json;
  if (role === "admin") {
    await env.DB.prepare("update users set role = 'admin' where id = ?").bind(id).run();
  }
  const token = await signToken({ userId: id, role });
  return {
    id,
    email,
    token,
    bookmark: created.headers.get("x-d1-bookmark") ?? "",
    from,
    call: (path, options = {}) => call(path, { token, from, ...options }),
  };
}

/** A good access token, as a login would answer it. */
export async function signToken(who: {
  userId: string;
  role?: "user" | "admin";
  sessionId?: string;
  epoch?: number;
}): Promise<string> {
  const config = readConfig(env);
  const tokens = new AccessTokens({
    keys: new KeySet(config.JWT_SIGNING_KEYS.keys),
    issuer: config.JWT_ISSUER,
    audience: config.JWT_AUDIENCE,
    ttlSeconds: config.ACCESS_TOKEN_TTL_SECONDS,
    clock: systemClock,
    memory: new TokenMemory(),
  });
  const { token } = await tokens.issue({
    tokenId: newId(),
    userId: who.userId,
    sessionId: who.sessionId ?? newId(),
    role: who.role ?? "user",
    epoch: who.epoch ?? 1,
    sessionExpiresAt: systemClock() + 86_400_000,
  });
  return token;
}
