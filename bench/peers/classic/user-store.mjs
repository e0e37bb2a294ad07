/** Users in PostgreSQL, and for an hour in Redis: read through, deleted on change. */
import { cursors, newId, prepared } from "./services.mjs";

const CACHE_SECONDS = 3600;

const COLUMNS = `u.id, u.name, u.email, u.pending_email, u.age, u.role, u.is_email_verified, u.version, u.created_at,
  u.updated_at, p.bio, p.avatar_url, p.locale, p.timezone`;
const FROM = "FROM users u JOIN user_profiles p ON p.user_id = u.id";

const selectById = prepared("user-by-id", `SELECT ${COLUMNS} ${FROM} WHERE u.id = $1`);
const selectByIds = prepared("users-by-ids", `SELECT ${COLUMNS} ${FROM} WHERE u.id = ANY($1)`);
const selectByEmail = prepared(
  "user-by-email",
  `SELECT ${COLUMNS}, u.password_hash ${FROM} WHERE u.email_key = $1`,
);

/** One statement, so one round trip and one transaction. */
const insert = prepared(
  "user-insert",
  `WITH u AS (
     INSERT INTO users (id, name, email, email_key, age, role, is_email_verified, password_hash, created_at, updated_at)
     VALUES ($1, $2, $3, lower($3), $4, 'user', false, $5, $6, $6) RETURNING *
   ), p AS (
     INSERT INTO user_profiles (user_id, bio, avatar_url, locale, timezone) VALUES ($1, $7, $8, $9, $10) RETURNING *
   ), e AS (
     INSERT INTO outbox_events (type, subject, data) VALUES ('user.created', $1, jsonb_build_object('userId', $1::uuid, 'email', $3::text))
   )
   SELECT ${COLUMNS} FROM u, p`,
);

/** @param {unknown} error of `insertUser` and `updateUser` */
export function isEmailTaken(error) {
  return error.code === "23505" && error.constraint === "users_email_key_key";
}

export async function insertUser({ pool }, { name, email, age, profile }, passwordHash) {
  const { bio, avatarUrl, locale, timezone } = profile ?? {};
  const values = [newId(), name, email, age, passwordHash, new Date(), bio, avatarUrl, locale, timezone];
  const [row] = await insert(pool, values);
  return toUser(row);
}

/** Through the cache. @returns {Promise<object | null>} */
export async function findUser({ pool, redis }, id) {
  const key = `user:${id}`;
  const cached = await redis.get(key);
  if (cached !== null) return JSON.parse(cached);
  const [row] = await selectById(pool, [id]);
  if (row === undefined) return null;
  const user = toUser(row);
  await redis.set(key, JSON.stringify(user), "EX", CACHE_SECONDS);
  return user;
}

export async function findUsers({ pool }, ids) {
  return (await selectByIds(pool, [ids])).map(toUser);
}

/** @returns {Promise<{user: object, passwordHash: string | null} | null>} */
export async function findCredential({ pool }, email) {
  const [row] = await selectByEmail(pool, [email.toLowerCase()]);
  return row === undefined ? null : { user: toUser(row), passwordHash: row.password_hash };
}

const SORT_COLUMN = { createdAt: "created_at", name: "name" };

/** A page by keyset over the index of the sort, one row more than asked for. */
export async function pageOfUsers({ pool }, { limit, cursor, sort, role }) {
  const member = sort.replace("-", "");
  const column = SORT_COLUMN[member];
  const [operator, direction] = sort.startsWith("-") ? ["<", "DESC"] : [">", "ASC"];
  const after = cursor === undefined ? null : cursors.open(cursor);
  const values = [
    limit + 1,
    ...(role === undefined ? [] : [role]),
    ...(after === null ? [] : [after.key, after.id]),
  ];
  const wheres = [
    ...(role === undefined ? [] : ["u.role = $2"]),
    ...(after === null ? [] : [`(u.${column}, u.id) ${operator} ($${values.length - 1}, $${values.length})`]),
  ];
  const where = wheres.length === 0 ? "" : `WHERE ${wheres.join(" AND ")}`;
  const text = `SELECT ${COLUMNS} ${FROM} ${where} ORDER BY u.${column} ${direction}, u.id ${direction} LIMIT $1`;
  const name = `users-${sort}-${role === undefined ? "" : "role"}-${after === null ? "first" : "next"}`;
  const rows = await prepared(name, text)(pool, values);
  return pageFrom(rows.map(toUser), limit, (user) => user[member]);
}

/** `{data, nextCursor}` of one row more than asked for. */
export function pageFrom(items, limit, keyOf) {
  const data = items.slice(0, limit);
  const last = data.at(-1);
  const nextCursor = items.length > limit && last !== undefined ? cursors.seal(keyOf(last), last.id) : null;
  return { data, nextCursor };
}

const COLUMN_OF = { name: "name", age: "age", role: "role" };
const PROFILE_COLUMN_OF = { bio: "bio", avatarUrl: "avatar_url", locale: "locale", timezone: "timezone" };

/**
 * Changes what the patch names, in one statement with its event, where the version is among `versions` (null: any).
 *
 * @returns {Promise<object | null>} null when no row matched
 */
export async function updateUser({ pool, redis }, id, { patch, versions, isAdmin }) {
  const values = [id, new Date(), versions];
  const parameter = (value) => `$${values.push(value)}`;
  const sets = ["version = version + 1", "updated_at = $2"];
  for (const [member, column] of Object.entries(COLUMN_OF))
    if (patch[member] !== undefined) sets.push(`${column} = ${parameter(patch[member])}`);
  if (patch.email !== undefined) sets.push(...emailSets(patch.email, isAdmin, parameter));
  const profile = patch.profile === null ? CLEARED_PROFILE : (patch.profile ?? {});
  const profileSets = Object.entries(PROFILE_COLUMN_OF)
    .filter(([member]) => profile[member] !== undefined)
    .map(([member, column]) => `${column} = ${parameter(profile[member])}`);
  const text = `WITH u AS (
      UPDATE users SET ${sets.join(", ")} WHERE id = $1 AND ($3::int[] IS NULL OR version = ANY($3)) RETURNING *
    ), p AS (${profileSets.length === 0 ? "SELECT p.*" : `UPDATE user_profiles p SET ${profileSets.join(", ")}`}
      FROM ${profileSets.length === 0 ? "user_profiles p, u" : "u"} WHERE p.user_id = u.id ${profileSets.length === 0 ? "" : "RETURNING p.*"}
    ), e AS (
      INSERT INTO outbox_events (type, subject, data)
      SELECT 'user.updated', u.id, jsonb_build_object('userId', u.id, 'email', u.email) FROM u
    )
    SELECT ${COLUMNS} FROM u, p`;
  const { rows } = await pool.query(text, values);
  await redis.del(`user:${id}`);
  return rows.length === 0 ? null : toUser(rows[0]);
}

const CLEARED_PROFILE = { bio: null, avatarUrl: null, locale: null, timezone: null };

/** An administrator's change is immediate, a user's own waits for its confirmation. */
function emailSets(email, isAdmin, parameter) {
  const value = parameter(email);
  if (!isAdmin) return [`pending_email = ${value}`];
  return [
    `email = ${value}`,
    `email_key = lower(${value})`,
    "pending_email = null",
    "is_email_verified = false",
  ];
}

function toUser(row) {
  const { id, name, email, pending_email, age, role, version, bio, avatar_url, locale, timezone } = row;
  return {
    id,
    name,
    email,
    pendingEmail: pending_email,
    age,
    role,
    emailVerified: row.is_email_verified,
    profile: { bio, avatarUrl: avatar_url, locale, timezone },
    version,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}
