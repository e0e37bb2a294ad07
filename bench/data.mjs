/**
 * The data that each side starts with, the same each time: users of whom the first is an administrator, products, and
 * two orders of two lines for each user. `bench/peers/classic/seed.mjs` makes the same in PostgreSQL.
 */
import { scryptSync } from "node:crypto";

export const PASSWORD = "correct horse battery staple";
export const ORDERS_PER_USER = 2;
const STOCK = 1_000_000_000;
/** 2026-01-01; each row is a second younger than the one before. */
const EPOCH_MS = 1_767_225_600_000;
/** Told apart in the ids, so that no user has the id of an order. */
const KIND = { user: "001", product: "002", order: "003" };

/** @param {number} index from 0, which is the administrator */
export const userId = (index) => uuidOf("user", index);
export const productId = (index) => uuidOf("product", index);
export const emailOf = (index) => `user${index}@example.com`;

/** A UUIDv7 out of the row's number. */
function uuidOf(kind, index) {
  const time = (EPOCH_MS + index * 1000).toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${KIND[kind]}-8000-${index.toString(16).padStart(12, "0")}`;
}

/**
 * Fills a served Worker's database, which has the project's tables.
 *
 * @param {{sql: (sql: string, params?: unknown[]) => Promise<unknown>}} server
 * @param {{users: number, products: number}} sizes at least one of each
 */
export async function seed(server, { users, products }) {
  for (const statement of STATEMENTS) {
    // A number of JavaScript arrives as a floating one, and what is reckoned with it would end in `.0`.
    await server.sql(
      `WITH size AS (SELECT CAST(? AS INTEGER) AS users, CAST(? AS INTEGER) AS products, ? AS hash) ${statement}`,
      [users, products, passwordHash()],
    );
  }
  // No ANALYZE: nobody runs it on a deployed D1, and with statistics SQLite would forgive a missing index.
}

/** One for all: checking it costs the same. The format: `src/platform/password-hasher.ts`. */
function passwordHash() {
  const salt = Buffer.alloc(16, 7);
  const hash = scryptSync(PASSWORD, salt, 32, { N: 2 ** 14, r: 8, p: 5, maxmem: 64 * 1024 * 1024 });
  const base64 = (bytes) => bytes.toString("base64").replace(/=+$/, "");
  return `$scrypt$ln=14,r=8,p=5$${base64(salt)}$${base64(hash)}`;
}

/** The ids in SQL. */
function uuidSql(kind, index) {
  const time = `printf('%012x', ${EPOCH_MS} + (${index}) * 1000)`;
  return `(substr(${time}, 1, 8) || '-' || substr(${time}, 9) || '-7${KIND[kind]}-8000-' || printf('%012x', ${index}))`;
}

const timeSql = (index) => `${EPOCH_MS} + (${index}) * 1000`;
/** The recursion of `INSERT ... WITH` counts from 0. */
const numbers = (until) =>
  `(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${until}) SELECT i FROM n)`;

const STATEMENTS = [
  `INSERT INTO users (id, name, email, email_key, age, role, is_email_verified, password_hash, version, last_change_id, created_at, updated_at)
   SELECT ${uuidSql("user", "i")}, 'User ' || i, 'user' || i || '@example.com', 'user' || i || '@example.com', 20 + i % 60,
     CASE i WHEN 0 THEN 'admin' ELSE 'user' END, 1, hash, 1, 'seed', ${timeSql("i")}, ${timeSql("i")}
   FROM size, ${numbers("(SELECT users FROM size)")}`,
  `INSERT INTO user_profiles (user_id, bio, locale, timezone)
   SELECT ${uuidSql("user", "i")}, 'Bio of user ' || i, 'en', 'Europe/Berlin' FROM ${numbers("(SELECT users FROM size)")}`,
  `INSERT INTO products (id, sku, name, price_minor, currency, stock, version, last_change_id, created_at, updated_at)
   SELECT ${uuidSql("product", "i")}, 'SKU-' || i, 'Product ' || i, 100 + i, 'EUR', ${STOCK}, 1, 'seed', ${timeSql("i")}, ${timeSql("i")}
   FROM ${numbers("(SELECT products FROM size)")}`,
  `INSERT INTO orders (id, user_id, status, currency, total_minor, version, last_change_id, created_at, updated_at)
   SELECT ${uuidSql("order", "i")}, ${uuidSql("user", `i / ${ORDERS_PER_USER}`)}, 'pending', 'EUR',
     (100 + i % products) + 2 * (100 + (i + 1) % products), 1, 'seed', ${timeSql("i")}, ${timeSql("i")}
   FROM size, ${numbers(`${ORDERS_PER_USER} * (SELECT users FROM size)`)}`,
  ...[0, 1].map(
    (line) => `INSERT INTO order_lines (order_id, position, product_id, sku, name, unit_price_minor, quantity)
   SELECT ${uuidSql("order", "i")}, ${line}, ${uuidSql("product", `(i + ${line}) % products`)},
     'SKU-' || ((i + ${line}) % products), 'Product ' || ((i + ${line}) % products), 100 + (i + ${line}) % products, ${line + 1}
   FROM size, ${numbers(`${ORDERS_PER_USER} * (SELECT users FROM size)`)}`,
  ),
];
