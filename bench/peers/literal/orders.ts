/** Orders and products in D1. */
import type { LiteralEnv } from "./env";

type Bindings = LiteralEnv["Bindings"];

interface Line {
  readonly productId: string;
  readonly quantity: number;
}

interface ProductRow {
  readonly id: string;
  readonly sku: string;
  readonly name: string;
  readonly price_minor: number;
  readonly currency: string;
  readonly stock: number;
}

interface OrderRow {
  readonly id: string;
  readonly user_id: string;
  readonly status: string;
  readonly currency: string;
  readonly total_minor: number;
  readonly version: number;
  readonly created_at: number;
  readonly updated_at: number;
}

interface LineRow {
  readonly order_id: string;
  readonly product_id: string;
  readonly sku: string;
  readonly name: string;
  readonly unit_price_minor: number;
  readonly quantity: number;
}

/** Null when a product is unknown or short of stock: the caller says 409. */
export async function placeOrder(env: Bindings, userId: string, lines: readonly Line[]) {
  const marks = lines.map(() => "?").join(", ");
  const { results: products } = await env.DB.prepare(`SELECT * FROM products WHERE id IN (${marks})`)
    .bind(...lines.map((line) => line.productId))
    .all<ProductRow>();
  const byId = new Map(products.map((product) => [product.id, product]));
  const id = crypto.randomUUID();
  const now = Date.now();
  const items = lines.flatMap(({ productId, quantity }) => {
    const product = byId.get(productId);
    if (product === undefined || product.stock < quantity) return [];
    const { sku, name, price_minor: unitPriceMinor } = product;
    return [{ productId, sku, name, unitPriceMinor, quantity, lineTotalMinor: unitPriceMinor * quantity }];
  });
  if (items.length < lines.length) return null;
  const totalMinor = items.reduce((sum, item) => sum + item.lineTotalMinor, 0);
  const currency = products[0]?.currency ?? "EUR";
  // The stock's CHECK refuses the whole batch when somebody else was faster.
  await env.DB.batch([
    env.DB.prepare(
      "INSERT INTO orders (id, user_id, status, currency, total_minor, version, last_change_id, created_at, updated_at) VALUES (?, ?, 'pending', ?, ?, 1, '', ?, ?)",
    ).bind(id, userId, currency, totalMinor, now, now),
    ...items.flatMap(({ productId, sku, name, unitPriceMinor, quantity }, position) => [
      env.DB.prepare("INSERT INTO order_lines VALUES (?, ?, ?, ?, ?, ?, ?)").bind(
        ...[id, position, productId, sku, name, unitPriceMinor, quantity],
      ),
      env.DB.prepare("UPDATE products SET stock = stock - ? WHERE id = ?").bind(quantity, productId),
    ]),
  ]);
  await env.EVENTS.send({ type: "order.placed", subject: id });
  const at = new Date(now).toISOString();
  return {
    id,
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

/** A user's newest orders, with their lines. */
export async function ordersOf(env: Bindings, userId: string, limit: number) {
  const session = env.DB.withSession("first-unconstrained");
  const page = "FROM orders WHERE user_id = ? ORDER BY created_at DESC, id DESC LIMIT ?";
  const [orders, lines] = await session.batch<OrderRow & LineRow>([
    session.prepare(`SELECT * ${page}`).bind(userId, limit),
    session
      .prepare(`SELECT * FROM order_lines WHERE order_id IN (SELECT id ${page}) ORDER BY order_id, position`)
      .bind(userId, limit),
  ]);
  return (orders?.results ?? []).map((order) => ({
    id: order.id,
    status: order.status.toUpperCase(),
    currency: order.currency,
    totalMinor: order.total_minor,
    items: (lines?.results ?? [])
      .filter((line) => line.order_id === order.id)
      .map((line) => ({
        productId: line.product_id,
        sku: line.sku,
        name: line.name,
        unitPriceMinor: line.unit_price_minor,
        quantity: line.quantity,
      })),
  }));
}
