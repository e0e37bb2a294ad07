/** A database as it is after so many people have signed up, of a Worker that is served. */
import { seed } from "../data.mjs";
import { migrate } from "../workerd/serve.mjs";

export const PRODUCTS = 100;

/**
 * Users with profiles and orders as every benchmark has them, and what else their lives would have left: a session, an event that was
 * delivered to its two consumers, an audit row.
 *
 * @param {{sql: (sql: string, params?: unknown[]) => Promise<unknown>}} server
 * @param {number} users
 */
export async function populate(server, users) {
  await migrate(server);
  await seed(server, { users, products: PRODUCTS });
  for (const statement of TRACES) await server.sql(statement);
}

/** The id of the user's row of another table. */
const idOf = (kind) => `replace(id, '-7001-', '-7${kind}-')`;
const LIFE_MS = 7 * 24 * 3_600_000;

const TRACES = [
  `INSERT INTO sessions (id, user_id, device, created_at, last_seen_at, expires_at)
   SELECT ${idOf("004")}, id, 'Firefox on Linux', created_at, created_at, created_at + ${LIFE_MS} FROM users ORDER BY id`,
  `INSERT INTO outbox_events (id, type, source, subject, schema_version, data, committed_at)
   SELECT ${idOf("005")}, 'user.created', '/meridian/users', id, 1, json_object('userId', id, 'email', email), created_at
   FROM users ORDER BY id`,
  ...["welcome-mail", "analytics"].map(
    (consumer) => `INSERT INTO event_deliveries (event_id, consumer, state, attempts, due_at, done_at)
   SELECT ${idOf("005")}, '${consumer}', 'done', 1, created_at, created_at FROM users ORDER BY id`,
  ),
  `INSERT INTO audit_log (at, actor, action, subject, details, request_id)
   SELECT created_at, 'anonymous', 'user.sign_up', 'user:' || id, '{}', ${idOf("006")} FROM users ORDER BY id`,
];
