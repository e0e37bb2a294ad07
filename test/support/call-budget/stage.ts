/** What the rows of the call budget are set up with: people and things that lie in D1 alone. */
import { env } from "cloudflare:workers";
import { newId, systemClock } from "../../../src/platform/clock";
import { Database } from "../../../src/platform/database";
import { digestOf } from "../../../src/services/auth/refresh-chain";
import { UserRepository } from "../../../src/services/users/repository";
import { newUserMemory, UserCache } from "../../../src/services/users/user-cache";
import { createLoggedInAccount } from "../accounts";
import { freshAddress } from "../client";
import type { Overrides } from "../counted-app";
import { testScope } from "../scope";
import { type StoredUser, storeUser } from "../stored-user";

/** A request less its client. */
export interface Ask {
  readonly path: string;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Who asks, in headers, and what; each time anew, for most writes can be done only once. */
export interface Scene {
  readonly client: Readonly<Record<string, string>>;
  /** Of the Worker's configuration. */
  readonly overrides?: Overrides | undefined;
  readonly ask: () => Ask | Promise<Ask>;
}

export interface BudgetRow {
  /** Method and path as they are routed: `GET /api/users/:id`. */
  readonly endpoint: string;
  /** What sets this row apart from others of the endpoint. */
  readonly variant?: string;
  readonly status: number;
  readonly scene: () => Promise<Scene>;
}

export function bearer(user: { readonly token: string }): Record<string, string> {
  return { Authorization: `Bearer ${user.token}`, "CF-Connecting-IP": freshAddress() };
}

export function stranger(): Record<string, string> {
  return { "CF-Connecting-IP": freshAddress() };
}

/** A stored user asks for the same thing each time. */
export async function asUser(ask: (user: StoredUser) => Ask | Promise<Ask>): Promise<Scene> {
  const user = await storeUser();
  return { client: bearer(user), ask: () => ask(user) };
}

export async function asAdmin(ask: (admin: StoredUser) => Ask | Promise<Ask>): Promise<Scene> {
  const admin = await storeUser("admin");
  return { client: bearer(admin), ask: () => ask(admin) };
}

/** One who has logged in, with a password and a session. */
export async function asLoggedIn(
  ask: (account: Awaited<ReturnType<typeof createLoggedInAccount>>) => Ask | Promise<Ask>,
): Promise<Scene> {
  const account = await createLoggedInAccount();
  return { client: bearer(account), ask: () => ask(account) };
}

/** A one-time token as a mail would carry it. */
export async function storeOneTimeToken(
  user: StoredUser,
  purpose: "password_reset" | "email_verification",
): Promise<string> {
  const token = newId();
  const now = systemClock();
  await env.DB.prepare(
    "insert into one_time_tokens (id, digest, user_id, purpose, address_key, created_at, expires_at) values (?, ?, ?, ?, ?, ?, ?)",
  )
    .bind(newId(), await digestOf(token), user.id, purpose, user.email, now, now + 60_000)
    .run();
  return token;
}

/** A user whom another isolate has read: in KV and D1, not in this memory. */
export async function storeCachedUser(): Promise<StoredUser> {
  const user = await storeUser();
  const scope = testScope(systemClock);
  const cache = new UserCache({ kv: env.USER_CACHE, memory: newUserMemory(), ttlSeconds: 3_600, scope });
  const repository = new UserRepository(new Database(env.DB, scope.calls));
  await cache.refresh(user.id, (from) => repository.findStamped(user.id, from));
  return user;
}

export async function storeProduct(): Promise<string> {
  const id = newId();
  await env.DB.prepare(
    "insert into products (id, sku, name, price_minor, currency, stock, version, last_change_id, created_at, updated_at) values (?, ?, 'Lamp', 1000, 'EUR', 100, 1, ?, 0, 0)",
  )
    .bind(id, id, id)
    .run();
  return id;
}

/** An event of the log with a delivery that failed for good, and the dead letter of it. */
export async function storeDeadLetter(): Promise<{ readonly eventId: string; readonly id: string }> {
  const [eventId, id] = [newId(), newId()];
  await env.DB.batch([
    env.DB.prepare(
      "insert into outbox_events (id, type, source, subject, schema_version, data, committed_at) values (?, 'user.created', '/meridian/users', ?, 1, '{}', 0)",
    ).bind(eventId, eventId),
    env.DB.prepare(
      "insert into event_deliveries (event_id, consumer, state, attempts, due_at) values (?, 'analytics', 'dead', 8, 0)",
    ).bind(eventId),
    env.DB.prepare(
      "insert into dead_letters (id, event_id, type, consumer, attempts, state, created_at) values (?, ?, 'user.created', 'analytics', 8, 'open', 0)",
    ).bind(id, eventId),
  ]);
  return { eventId, id };
}
