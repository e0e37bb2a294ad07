/** The law of the shop, over random histories: nothing is sold twice, nothing is lost, and every sum is exact. */

import { env } from "cloudflare:workers";
import fc from "fast-check";
import { expect, test } from "vitest";
import { callBy } from "../../../src/platform/call";
import { ORDER_STATUSES, type Order, type Product } from "../../../src/services/orders";
import { isTransition, type OrderStatus } from "../../../src/services/orders/order-status";
import {
  ADMIN,
  addProduct,
  buyer,
  codeOf,
  countOf,
  granted,
  openShop,
  PENDING_TTL_SECONDS,
  type Shop,
  setStatus,
} from "../../support/orders";

const PRODUCTS = 3;
const INITIAL_STOCK = 12;

const pieces = fc.integer({ min: 1, max: 6 });
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("place" as const),
      pieces: fc.array(pieces, { minLength: 1, maxLength: PRODUCTS }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("move" as const),
      order: fc.nat(20),
      to: fc.constantFrom(...ORDER_STATUSES),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("price" as const),
      product: fc.nat(PRODUCTS - 1),
      priceMinor: fc.integer({ min: 0, max: 100_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), seconds: fc.integer({ min: 1, max: 3_000 }) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What the shop should be, kept beside it. */
interface Model {
  readonly products: Product[];
  readonly orders: Map<string, { order: Order; status: OrderStatus; placedAt: number }>;
}

async function take(shop: Shop, model: Model, action: Step): Promise<void> {
  switch (action.kind) {
    case "place": {
      const items = action.pieces.map((quantity, index) => ({
        productId: model.products[index]?.id ?? "",
        quantity,
      }));
      const prices = new Map(model.products.map(({ id, priceMinor }) => [id, priceMinor]));
      const outcome = await shop.orders.place(callBy(buyer()), { items });
      if (!outcome.ok) return expect(codeOf(outcome)).toBe("out_of_stock");
      for (const { productId, unitPriceMinor } of outcome.value.items)
        expect(unitPriceMinor).toBe(prices.get(productId));
      model.orders.set(outcome.value.id, {
        order: outcome.value,
        status: "pending",
        placedAt: shop.clock.now,
      });
      return;
    }
    case "move": {
      const known = [...model.orders.values()].at(action.order % Math.max(1, model.orders.size));
      if (known === undefined) return;
      const outcome = await setStatus(shop, known.order.id, action.to);
      expect(outcome.ok).toBe(isTransition(known.status, action.to));
      if (outcome.ok) known.status = action.to;
      return;
    }
    case "price": {
      const product = model.products[action.product];
      if (product === undefined) return;
      const { priceMinor } = action;
      model.products[action.product] = granted(
        await shop.products.patch(callBy(ADMIN), product.id, { priceMinor }),
      );
      return;
    }
    case "wait": {
      shop.clock.advance(action.seconds);
      await shop.expiry.run();
      for (const known of model.orders.values()) {
        const isDue = known.placedAt <= shop.clock.now - PENDING_TTL_SECONDS * 1000;
        if (known.status === "pending" && isDue) known.status = "cancelled";
      }
    }
  }
}

async function checkLaws(shop: Shop, model: Model): Promise<void> {
  for (const { id } of model.products) {
    const { stock } = granted(await shop.products.get(callBy(), id));
    const sold = [...model.orders.values()]
      .filter(({ status }) => status !== "cancelled")
      .flatMap(({ order }) => order.items.filter(({ productId }) => productId === id))
      .reduce((sum, { quantity }) => sum + quantity, 0);
    expect(stock).toBeGreaterThanOrEqual(0);
    expect(stock + sold).toBe(INITIAL_STOCK);
  }
  for (const { order, status } of model.orders.values()) {
    const stored = granted(await shop.orders.get(callBy(ADMIN), order.id));
    expect(stored.status).toBe(status);
    // Whatever became of the prices: what was bought is what was paid.
    expect(stored.items).toEqual(order.items);
    expect(stored.totalMinor).toBe(stored.items.reduce((sum, item) => sum + item.lineTotalMinor, 0));
    for (const { unitPriceMinor, quantity, lineTotalMinor } of stored.items)
      expect(lineTotalMinor).toBe(unitPriceMinor * quantity);
    expect(await countOf("order_history", `order_id = '${order.id}'`)).toBe(stored.version);
    expect(await countOf("outbox_events", `subject = '${order.id}'`)).toBe(stored.version);
  }
  expect(await countOf("orders")).toBe(model.orders.size);
}

test("stock and sold are the initial stock, and all sums are exact, over random histories", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      for (const table of ["order_lines", "order_history", "orders", "products", "outbox_events"])
        await env.DB.prepare(`delete from ${table}`).run();
      const shop = openShop();
      const products: Product[] = [];
      for (let index = 0; index < PRODUCTS; index += 1)
        products.push(await addProduct(shop, { stock: INITIAL_STOCK }));
      const model: Model = { products, orders: new Map() };
      for (const action of steps) await take(shop, model, action);
      await checkLaws(shop, model);
    }),
    { numRuns: 15, seed: 7 },
  );
}, 60_000);

test("the same laws hold when the steps of a history run at once", async () => {
  const shop = openShop();
  const products: Product[] = [];
  for (let index = 0; index < PRODUCTS; index += 1)
    products.push(await addProduct(shop, { stock: INITIAL_STOCK }));
  const ids = products.map(({ id }) => id);
  const placed: Order[] = [];
  await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const own = openShop(shop.clock);
      const items = ids
        .slice(index % PRODUCTS)
        .map((productId) => ({ productId, quantity: 1 + (index % 3) }));
      const outcome = await own.orders.place(callBy(buyer()), { items });
      if (!outcome.ok) return;
      placed.push(outcome.value);
      if (index % 2 === 0)
        await Promise.all([1, 2, 3].map(() => setStatus(own, outcome.value.id, "cancelled")));
    }),
  );
  for (const id of ids) {
    const { results } = await env.DB.prepare(
      `select coalesce(sum(quantity), 0) as sold from order_lines join orders on orders.id = order_id
       where product_id = ? and status <> 'cancelled'`,
    )
      .bind(id)
      .all<{ sold: number }>();
    const { stock } = granted(await shop.products.get(callBy(), id));
    expect(stock).toBeGreaterThanOrEqual(0);
    expect(stock + (results[0]?.sold ?? Number.NaN)).toBe(INITIAL_STOCK);
  }
  expect(await countOf("orders")).toBe(placed.length);
}, 30_000);
