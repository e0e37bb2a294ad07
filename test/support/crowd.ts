/** A database with many rows in it, made inside SQLite: what a call reads must not depend on how many. */
import { env } from "cloudflare:workers";

/** Rows have numbers, so that a larger crowd is a smaller one with more beside it. */
export interface Crowd {
  readonly first: number;
  readonly last: number;
}

const KINDS = {
  user: "001",
  product: "002",
  order: "003",
  event: "004",
  session: "005",
  letter: "006",
} as const;
type Kind = keyof typeof KINDS;

/** In the shape of a UUIDv7. The first user is the administrator; a user's orders are twice its number and the next. */
export function crowdId(kind: Kind, index: number): string {
  return `00000000-0000-7${KINDS[kind]}-8000-${index.toString(16).padStart(12, "0")}`;
}

const idSql = (kind: Kind, index = "i") =>
  `('00000000-0000-7${KINDS[kind]}-8000-' || printf('%012x', ${index}))`;

/**
 * Users, each with a profile, a live session, a product, a pending and a delivered order of two lines, an event that failed one of its consumers, one that
 * waits for its retry, an audit row, an idempotency record and a counted attempt in force.
 *
 * @param now epoch milliseconds; all of it happened a second apart, in the half hour before
 */
export async function fill({ first, last }: Crowd, now: number): Promise<void> {
  const numbers = `with recursive n(i) as (select ${first} union all select i + 1 from n where i < ${last})`;
  const [at, later] = [`${now - 1_800_000} + i * 1000`, `${now + 3_600_000}`];
  const statements = STATEMENTS.map((statement) => statement({ numbers, at, later }));
  await env.DB.batch(statements.map((statement) => env.DB.prepare(statement)));
}

/** SQL of the numbers, and of the times that rows have. */
interface Rows {
  readonly numbers: string;
  readonly at: string;
  readonly later: string;
}

const STATEMENTS: readonly ((rows: Rows) => string)[] = [
  ({ numbers, at }) =>
    `insert into users (id, name, email, email_key, role, is_email_verified, last_change_id, created_at, updated_at)
     ${numbers} select ${idSql("user")}, 'Person ' || printf('%06d', i), 'p' || i || '@example.com', 'p' || i || '@example.com',
       iif(i = 0, 'admin', 'user'), 1, 'x', ${at}, ${at} from n`,
  ({ numbers }) =>
    `insert into user_profiles (user_id, locale) ${numbers} select ${idSql("user")}, 'en' from n`,
  ({ numbers, at, later }) =>
    `insert into sessions (id, user_id, device, created_at, last_seen_at, expires_at)
     ${numbers} select ${idSql("session")}, ${idSql("user")}, 'Firefox', ${at}, ${at}, ${later} from n`,
  ({ numbers, at }) =>
    `insert into products (id, sku, name, price_minor, currency, stock, version, last_change_id, created_at, updated_at)
     ${numbers} select ${idSql("product")}, 'S' || i, 'Lamp', 100, 'EUR', 1000, 1, 'x', ${at}, ${at} from n`,
  ...["pending", "delivered"].map(
    (status, index) =>
      ({ numbers, at }: Rows) =>
        `insert into orders (id, user_id, status, currency, total_minor, version, last_change_id, created_at, updated_at)
         ${numbers} select ${idSql("order", `2 * i + ${index}`)}, ${idSql("user")}, '${status}', 'EUR', 200, 1, 'x', ${at}, ${at} from n`,
  ),
  ...[0, 1, 2, 3].map(
    (line) =>
      ({ numbers }: Rows) =>
        `insert into order_lines (order_id, position, product_id, sku, name, unit_price_minor, quantity)
         ${numbers} select ${idSql("order", `2 * i + ${line % 2}`)}, ${line >> 1}, ${idSql("product")}, 'S', 'Lamp', 100, 1 from n`,
  ),
  ...["2 * i", "2 * i + 1"].map(
    (index) =>
      ({ numbers, at }: Rows) =>
        `insert into outbox_events (id, type, source, subject, schema_version, data, committed_at)
         ${numbers} select ${idSql("event", index)}, 'user.created', '/meridian/users', ${idSql("user")}, 1, '{}', ${at} from n`,
  ),
  ({ numbers, at }) =>
    `insert into event_deliveries (event_id, consumer, state, attempts, due_at, done_at)
     ${numbers} select ${idSql("event", "2 * i")}, 'analytics', 'done', 1, ${at}, ${at} from n`,
  ({ numbers, later }) =>
    `insert into event_deliveries (event_id, consumer, state, attempts, due_at)
     ${numbers} select ${idSql("event", "2 * i + 1")}, 'analytics', 'pending', 1, ${later} from n`,
  ({ numbers, at }) =>
    `insert into event_deliveries (event_id, consumer, state, attempts, due_at)
     ${numbers} select ${idSql("event", "2 * i")}, 'welcome-mail', 'dead', 8, ${at} from n`,
  ({ numbers, at }) =>
    `insert into dead_letters (id, event_id, type, consumer, attempts, state, created_at)
     ${numbers} select ${idSql("letter")}, ${idSql("event", "2 * i")}, 'user.created', 'welcome-mail', 8, 'open', ${at} from n`,
  ({ numbers, at }) =>
    `insert into audit_log (at, actor, action, subject, details, request_id)
     ${numbers} select ${at}, 'anonymous', 'user.sign_up', 'user:' || ${idSql("user")}, '{}', 'x' from n`,
  ({ numbers, later }) =>
    `insert into idempotency_records (id, fingerprint, state, claim_token, leased_until, expires_at)
     ${numbers} select 'key' || i, 'x', 'done', 'x', 0, ${later} from n`,
  ({ numbers, later }) =>
    `insert into attempt_counts (key, bucket_ends_at, count, last_charge_id)
     ${numbers} select 'key' || i, ${later}, 1, 'x' from n`,
];
