/** The data that the peer starts with, made inside PostgreSQL, the same each time. */
import { readFileSync } from "node:fs";
import { hashPassword } from "./passwords.mjs";

export const SEED_PASSWORD = "correct horse battery staple";
/** Of two lines each. */
export const SEED_ORDERS_PER_USER = 2;
const SEED_STOCK = 1_000_000_000;
/** 2026-01-01; each row is a second younger than the one before. */
const EPOCH_MS = 1_767_225_600_000;
/** Told apart in the ids, so that no user has the id of an order. */
const KIND = { user: "001", product: "002", order: "003" };

/** @param {number} index from 0, which is the administrator */
export const seededUserId = (index) => uuidOf("user", index);
/** @param {number} index from 0 */
export const seededProductId = (index) => uuidOf("product", index);
/** @param {number} index from 0 */
export const seededEmail = (index) => `user${index}@example.com`;

/**
 * Makes the tables and fills them.
 *
 * @param {import("pg").Client} client
 * @param {{users: number, products: number}} sizes at least one of each
 */
export async function seed(client, { users, products }) {
  await client.query(readFileSync(new URL("schema.sql", import.meta.url), "utf8"));
  // One hash for all: a thousand would take minutes, and checking one costs the same.
  const hash = await hashPassword(SEED_PASSWORD);
  const text = JSON.stringify({ users, products, hash });
  for (const statement of STATEMENTS) {
    await client.query(
      `WITH size AS (SELECT * FROM json_to_record($1) AS s (users int, products int, hash text)) ${statement}`,
      [text],
    );
  }
  // Planner statistics, and no autovacuum that begins in the midst of a measurement.
  await client.query("VACUUM ANALYZE");
}

/** A UUIDv7 out of the row's number. */
function uuidOf(kind, index) {
  const time = (EPOCH_MS + index * 1000).toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${KIND[kind]}-8000-${index.toString(16).padStart(12, "0")}`;
}

/** The same in SQL. */
function uuidSql(kind, index) {
  const time = `lpad(to_hex(${EPOCH_MS} + (${index})::bigint * 1000), 12, '0')`;
  const row = `lpad(to_hex((${index})::bigint), 12, '0')`;
  return `(left(${time}, 8) || '-' || right(${time}, 4) || '-7${KIND[kind]}-8000-' || ${row})::uuid`;
}

const timeSql = (index) => `to_timestamp(${EPOCH_MS / 1000} + (${index}))`;

const STATEMENTS = [
  `INSERT INTO users (id, name, email, email_key, age, role, is_email_verified, password_hash, created_at, updated_at)
   SELECT ${uuidSql("user", "i")}, 'User ' || i, 'user' || i || '@example.com', 'user' || i || '@example.com',
     20 + i % 60, CASE i WHEN 0 THEN 'admin' ELSE 'user' END, true, hash, ${timeSql("i")}, ${timeSql("i")}
   FROM size, generate_series(0, users - 1) i`,
  `INSERT INTO user_profiles (user_id, bio, locale, timezone)
   SELECT ${uuidSql("user", "i")}, 'Bio of user ' || i, 'en', 'Europe/Berlin' FROM size, generate_series(0, users - 1) i`,
  `INSERT INTO products (id, sku, name, price_minor, currency, stock, created_at, updated_at)
   SELECT ${uuidSql("product", "i")}, 'SKU-' || i, 'Product ' || i, 100 + i, 'EUR', ${SEED_STOCK}, ${timeSql("i")}, ${timeSql("i")}
   FROM size, generate_series(0, products - 1) i`,
  `INSERT INTO orders (id, user_id, status, currency, total_minor, created_at, updated_at)
   SELECT ${uuidSql("order", "o")}, ${uuidSql("user", `o / ${SEED_ORDERS_PER_USER}`)}, 'pending', 'EUR',
     (100 + o % products) + 2 * (100 + (o + 1) % products), ${timeSql("o")}, ${timeSql("o")}
   FROM size, generate_series(0, users * ${SEED_ORDERS_PER_USER} - 1) o`,
  `INSERT INTO order_lines (order_id, position, product_id, sku, name, unit_price_minor, quantity)
   SELECT ${uuidSql("order", "o")}, line, ${uuidSql("product", "(o + line) % products")}, 'SKU-' || (o + line) % products,
     'Product ' || (o + line) % products, 100 + (o + line) % products, line + 1
   FROM size, generate_series(0, users * ${SEED_ORDERS_PER_USER} - 1) o, generate_series(0, 1) line`,
];
