/** Users in D1, cached in KV: read through, delete on update. */
import type { LiteralEnv } from "./env";

type Bindings = LiteralEnv["Bindings"];

const CACHE_SECONDS = 3_600;

interface UserRow {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly pending_email: string | null;
  readonly age: number | null;
  readonly role: "user" | "admin";
  readonly is_email_verified: number;
  readonly password_hash: string | null;
  readonly version: number;
  readonly created_at: number;
  readonly updated_at: number;
  readonly bio: string | null;
  readonly avatar_url: string | null;
  readonly locale: string | null;
  readonly timezone: string | null;
}

export type User = ReturnType<typeof asUser>;

const SELECT = "SELECT * FROM users JOIN user_profiles ON user_profiles.user_id = users.id";

function asUser(row: UserRow) {
  return {
    id: row.id,
    name: row.name,
    email: row.email,
    pendingEmail: row.pending_email,
    age: row.age,
    role: row.role,
    emailVerified: row.is_email_verified === 1,
    profile: { bio: row.bio, avatarUrl: row.avatar_url, locale: row.locale, timezone: row.timezone },
    version: row.version,
    createdAt: new Date(row.created_at).toISOString(),
    updatedAt: new Date(row.updated_at).toISOString(),
  };
}

export async function getUser(env: Bindings, id: string, waitUntil: (work: Promise<void>) => void) {
  const cached = await env.USER_CACHE.get<User>(`user:${id}`, "json");
  if (cached !== null) return cached;
  const row = await env.DB.withSession("first-unconstrained")
    .prepare(`${SELECT} WHERE users.id = ?`)
    .bind(id)
    .first<UserRow>();
  if (row === null) return null;
  const user = asUser(row);
  waitUntil(env.USER_CACHE.put(`user:${id}`, JSON.stringify(user), { expirationTtl: CACHE_SECONDS }));
  return user;
}

/** Newest first. */
export async function listUsers(
  env: Bindings,
  limit: number,
  after: { createdAt: number; id: string } | null,
) {
  const session = env.DB.withSession("first-unconstrained");
  const { results } = await (after === null
    ? session.prepare(`${SELECT} ORDER BY users.created_at DESC, users.id DESC LIMIT ?`).bind(limit + 1)
    : session
        .prepare(
          `${SELECT} WHERE (users.created_at, users.id) < (?, ?) ORDER BY users.created_at DESC, users.id DESC LIMIT ?`,
        )
        .bind(after.createdAt, after.id, limit + 1)
  ).all<UserRow>();
  const last = results.length > limit ? results[limit - 1] : undefined;
  return {
    data: results.slice(0, limit).map(asUser),
    nextCursor: last === undefined ? null : btoa(JSON.stringify({ createdAt: last.created_at, id: last.id })),
  };
}

export async function findAccount(env: Bindings, email: string) {
  const row = await env.DB.prepare(`${SELECT} WHERE users.email_key = ?`)
    .bind(email.toLowerCase())
    .first<UserRow>();
  return row === null ? null : { user: asUser(row), passwordHash: row.password_hash };
}

export interface NewUser {
  readonly name: string;
  readonly email: string;
  readonly passwordHash: string | null;
}

/** Null when the address is taken. */
export async function createUser(
  env: Bindings,
  { name, email, passwordHash }: NewUser,
): Promise<User | null> {
  const id = crypto.randomUUID();
  const now = Date.now();
  try {
    await env.DB.batch([
      env.DB.prepare(
        "INSERT INTO users (id, name, email, email_key, role, is_email_verified, password_hash, version, last_change_id, created_at, updated_at) VALUES (?, ?, ?, ?, 'user', 0, ?, 1, '', ?, ?)",
      ).bind(id, name, email, email.toLowerCase(), passwordHash, now, now),
      env.DB.prepare("INSERT INTO user_profiles (user_id) VALUES (?)").bind(id),
    ]);
  } catch (error) {
    if (String(error).includes("UNIQUE constraint failed: users.email_key")) return null;
    throw error;
  }
  await env.EVENTS.send({ type: "user.created", subject: id });
  const at = new Date(now).toISOString();
  return {
    ...{ id, name, email, pendingEmail: null, age: null, role: "user", emailVerified: false },
    profile: { bio: null, avatarUrl: null, locale: null, timezone: null },
    ...{ version: 1, createdAt: at, updatedAt: at },
  };
}

/** Null when there is no such user. */
export async function updateUser(
  env: Bindings,
  id: string,
  { name, age }: { name?: string; age?: number | null },
) {
  const [, read] = await env.DB.batch<UserRow>([
    env.DB.prepare(
      "UPDATE users SET name = coalesce(?, name), age = CASE WHEN ? THEN ? ELSE age END, version = version + 1, updated_at = ? WHERE id = ?",
    ).bind(name ?? null, age === undefined ? 0 : 1, age ?? null, Date.now(), id),
    env.DB.prepare(`${SELECT} WHERE users.id = ?`).bind(id),
  ]);
  const row = read?.results[0];
  if (row === undefined) return null;
  await env.USER_CACHE.delete(`user:${id}`);
  await env.EVENTS.send({ type: "user.updated", subject: id });
  return asUser(row);
}
