/** Products and orders in PostgreSQL. */
import { Problem } from "./problem.mjs";
import { cursors, newId, prepared } from "./services.mjs";
import { pageFrom } from "./user-store.mjs";

const selectProduct = prepared("product-by-id", "SELECT * FROM products WHERE id = $1");
const selectProducts = prepared("products-by-ids", "SELECT * FROM products WHERE id = ANY($1)");
const selectProductPage = prepared(
  "products-page",
  `SELECT * FROM products WHERE ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::uuid))
   ORDER BY created_at DESC, id DESC LIMIT $1`,
);
const insertProductRow = prepared(
  "product-insert",
  `INSERT INTO products (id, sku, name, price_minor, currency, stock, created_at, updated_at)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING *`,
);
/** In the order of their ids, so that two orders of the same products do not wait for one another in a circle. */
const lockProducts = prepared(
  "products-lock",
  "SELECT * FROM products WHERE id = ANY($1) ORDER BY id FOR UPDATE",
);

const insertOrder = prepared(
  "order-insert",
  `WITH wanted AS (
     SELECT * FROM unnest($5::uuid[], $6::int[], $7::text[], $8::text[], $9::bigint[]) WITH ORDINALITY
       AS w (product_id, quantity, sku, name, price, position)
   ), stock AS (
     UPDATE products p SET stock = p.stock - w.quantity, version = p.version + 1, updated_at = $10
     FROM wanted w WHERE p.id = w.product_id
   ), o AS (
     INSERT INTO orders (id, user_id, status, currency, total_minor, created_at, updated_at)
     VALUES ($1, $2, 'pending', $3, $4, $10, $10)
   ), e AS (
     INSERT INTO outbox_events (type, subject, data) VALUES ('order.placed', $1, jsonb_build_object('orderId', $1::uuid, 'userId', $2::uuid))
   )
   INSERT INTO order_lines (order_id, position, product_id, sku, name, unit_price_minor, quantity)
   SELECT $1, position - 1, product_id, sku, name, price, quantity FROM wanted`,
);
const selectOrder = prepared("order-by-id", "SELECT * FROM orders WHERE id = $1");
const selectLines = prepared(
  "order-lines",
  "SELECT * FROM order_lines WHERE order_id = ANY($1) ORDER BY order_id, position",
);
const selectOrderPage = prepared(
  "orders-page",
  `SELECT * FROM orders WHERE user_id = $2 AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4::uuid))
   ORDER BY created_at DESC, id DESC LIMIT $1`,
);
const selectFirstPages = prepared(
  "orders-first-pages",
  `SELECT o.* FROM unnest($1::uuid[]) AS listed (user_id) CROSS JOIN LATERAL (
     SELECT * FROM orders WHERE orders.user_id = listed.user_id ORDER BY created_at DESC, id DESC LIMIT $2
   ) o ORDER BY o.created_at DESC, o.id DESC`,
);

export async function findProduct({ pool }, id) {
  const [row] = await selectProduct(pool, [id]);
  return row === undefined ? null : toProduct(row);
}

export async function findProducts({ pool }, ids) {
  return (await selectProducts(pool, [ids])).map(toProduct);
}

export async function pageOfProducts({ pool }, { limit, cursor }) {
  const after = cursor === undefined ? null : cursors.open(cursor);
  const rows = await selectProductPage(pool, [limit + 1, after?.key, after?.id]);
  return pageFrom(rows.map(toProduct), limit, ({ createdAt }) => createdAt);
}

export async function insertProduct({ pool }, { sku, name, priceMinor, currency, stock }) {
  const [row] = await insertProductRow(pool, [newId(), sku, name, priceMinor, currency, stock, new Date()]);
  return toProduct(row);
}

/**
 * Order, lines, stock and event in one transaction, at the prices of the locked rows.
 * **Errors**: `validation_failed` (unknown product, mixed currencies), `out_of_stock`.
 */
export async function placeOrder({ pool }, userId, items) {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    const rows = await lockProducts(client, [items.map(({ productId }) => productId)]);
    const order = draftOrder(userId, items, rows.map(toProduct));
    const column = (member) => order.items.map((item) => item[member]);
    await insertOrder(client, [
      ...[order.id, userId, order.currency, order.totalMinor],
      ...["productId", "quantity", "sku", "name", "unitPriceMinor"].map(column),
      new Date(order.createdAt),
    ]);
    await client.query("COMMIT");
    return order;
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}

function draftOrder(userId, wanted, products) {
  const byId = new Map(products.map((product) => [product.id, product]));
  const currency = byId.get(wanted[0].productId)?.currency;
  const errors = wanted.flatMap(({ productId }, index) => {
    const product = byId.get(productId);
    if (product?.currency === currency && product !== undefined) return [];
    const code = product === undefined ? "unknown_product" : "mixed_currency";
    return [{ pointer: `#/items/${index}/productId`, code, message: "This cannot be ordered." }];
  });
  if (errors.length > 0)
    throw new Problem("validation_failed", "These lines cannot be ordered together.", { errors });
  const short = wanted
    .map(({ productId, quantity }) => ({
      productId,
      requested: quantity,
      available: byId.get(productId).stock,
    }))
    .filter(({ requested, available }) => available < requested);
  if (short.length > 0)
    throw new Problem("out_of_stock", "There is less left than was ordered.", { products: short });
  const items = wanted.map(({ productId, quantity }) => {
    const { sku, name, priceMinor } = byId.get(productId);
    return {
      productId,
      sku,
      name,
      unitPriceMinor: priceMinor,
      quantity,
      lineTotalMinor: priceMinor * quantity,
    };
  });
  const totalMinor = items.reduce((sum, { lineTotalMinor }) => sum + lineTotalMinor, 0);
  const at = new Date().toISOString();
  return {
    id: newId(),
    userId,
    status: "pending",
    currency,
    totalMinor,
    items,
    version: 1,
    createdAt: at,
    updatedAt: at,
  };
}

export async function findOrder({ pool }, id) {
  const [rows, lines] = await Promise.all([selectOrder(pool, [id]), selectLines(pool, [[id]])]);
  return toOrders(rows, lines)[0] ?? null;
}

export async function pageOfOrders({ pool }, userId, { limit, cursor }) {
  const after = cursor === undefined ? null : cursors.open(cursor);
  const rows = await selectOrderPage(pool, [limit + 1, userId, after?.key, after?.id]);
  const lines = await selectLines(pool, [rows.map(({ id }) => id)]);
  return pageFrom(toOrders(rows, lines), limit, ({ createdAt }) => createdAt);
}

/** The first page of each of the users, in their order: two statements, however many users. */
export async function firstPagesOfOrders({ pool }, userIds, limit) {
  const rows = await selectFirstPages(pool, [userIds, limit + 1]);
  const lines = await selectLines(pool, [rows.map(({ id }) => id)]);
  const ordersOf = Map.groupBy(toOrders(rows, lines), ({ userId }) => userId);
  return userIds.map((userId) => pageFrom(ordersOf.get(userId) ?? [], limit, ({ createdAt }) => createdAt));
}

function toProduct({ id, sku, name, price_minor, currency, stock, version, created_at, updated_at }) {
  const [createdAt, updatedAt] = [created_at.toISOString(), updated_at.toISOString()];
  return { id, sku, name, priceMinor: price_minor, currency, stock, version, createdAt, updatedAt };
}

function toOrders(rows, lines) {
  const linesOf = Map.groupBy(lines, ({ order_id }) => order_id);
  return rows.map(({ id, user_id, status, currency, total_minor, version, created_at, updated_at }) => ({
    id,
    userId: user_id,
    status,
    currency,
    totalMinor: total_minor,
    items: (linesOf.get(id) ?? []).map(({ product_id, sku, name, unit_price_minor, quantity }) => ({
      productId: product_id,
      sku,
      name,
      unitPriceMinor: unit_price_minor,
      quantity,
      lineTotalMinor: unit_price_minor * quantity,
    })),
    version,
    createdAt: created_at.toISOString(),
    updatedAt: updated_at.toISOString(),
  }));
}
