/** A user that lies in D1 alone: no isolate, no KV and no object has heard of it. */
import { env } from "cloudflare:workers";
import { newId } from "../../src/platform/clock";
import { signToken } from "./accounts";

export interface StoredUser {
  readonly id: string;
  readonly email: string;
  readonly token: string;
}

export async function storeUser(role: "user" | "admin" = "user"): Promise<StoredUser> {
  const id = newId();
  const email = `${id}@example.com`;
  await env.DB.batch([
    env.DB.prepare(
      "insert into users (id, name, email, email_key, role, is_email_verified, last_change_id, created_at, updated_at) values (?, 'Ada Lovelace', ?, ?, ?, 1, ?, 0, 0)",
    ).bind(id, email, email, role, id),
    env.DB.prepare("insert into user_profiles (user_id) values (?)").bind(id),
  ]);
  return { id, email, token: await signToken({ userId: id, role }) };
}
