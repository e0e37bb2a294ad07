/** People for tests: signed up and logged in over the API, as a client would. */
import { env } from "cloudflare:workers";
import { type Call, call, freshAddress } from "./client";

export const PASSWORD = "correct horse battery staple";

export interface Account {
  readonly id: string;
  readonly email: string;
  readonly token: string;
  readonly refreshToken: string;
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

/** A user with a password, logged in. */
export async function createAccount(details: Record<string, unknown> = {}): Promise<Account> {
  const from = freshAddress();
  const email = freshEmail();
  const created = await call("/api/users", {
    from,
    json: { name: "Ada Lovelace", email, password: PASSWORD, ...details },
  });
  if (created.status !== 201) throw new Error(`sign-up answered ${created.status}: ${created.text}`);
  return await logIn(created.json.id, created.json.email, created.headers.get("x-d1-bookmark") ?? "", from);
}

/** As `createAccount`, made an admin behind the API's back before it logs in. */
export async function createAdmin(): Promise<Account> {
  const account = await createAccount({ name: "Grace Hopper" });
  await env.DB.prepare("update users set role = 'admin' where id = ?").bind(account.id).run();
  return await logIn(account.id, account.email, account.bookmark, account.from);
}

async function logIn(id: string, email: string, bookmark: string, from: string): Promise<Account> {
  const answer = await call("/api/auth/login", { from, json: { email, password: PASSWORD } });
  if (answer.status !== 200) throw new Error(`login answered ${answer.status}: ${answer.text}`);
  const token: string = answer.json.accessToken;
  return {
    id,
    email,
    token,
    refreshToken: answer.json.refreshToken,
    bookmark,
    from,
    call: (path, options = {}) => call(path, { token, from, ...options }),
  };
}
