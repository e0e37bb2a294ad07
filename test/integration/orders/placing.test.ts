import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { ANONYMOUS } from "../../../src/kernel/actor";
import { callBy } from "../../../src/platform/call";
import { newId } from "../../../src/platform/clock";
import type { Statement } from "../../../src/platform/database";
import { runOnce } from "../../../src/platform/idempotency";

import {
  ADMIN,
  addProduct,
  buyer,
  codeOf,
  countOf,
  granted,
  keyed,
  openShop,
  placeOne,
  type Shop,
  stockOf,
} from "../../support/orders";

test("an order is priced by the database, takes its stock, and has its history, event and audit row", async () => {
  const shop = openShop();
  const cards = await addProduct(shop, { name: "Cards", priceMinor: 1_250, stock: 10 });
  const ink = await addProduct(shop, { name: "Ink", priceMinor: 399, stock: 3 });
  const order = granted(
    await shop.orders.place(callBy(buyer()), {
      items: [
        { productId: ink.id, quantity: 3 },
        { productId: cards.id, quantity: 2 },
      ],
    }),
  );
  expect(order).toMatchObject({
    userId: buyer().userId,
    status: "pending",
    currency: "EUR",
    totalMinor: 3 * 399 + 2 * 1_250,
    version: 1,
    items: [
      {
        productId: ink.id,
        sku: ink.sku,
        name: "Ink",
        unitPriceMinor: 399,
        quantity: 3,
        lineTotalMinor: 1_197,
      },
      { productId: cards.id, unitPriceMinor: 1_250, quantity: 2, lineTotalMinor: 2_500 },
    ],
  });
  expect(granted(await shop.orders.get(callBy(buyer()), order.id))).toEqual(order);
  expect(await stockOf(ink.id)).toBe(0);
  expect(await stockOf(cards.id)).toBe(8);
  expect(granted(await shop.orders.history(callBy(buyer()), order.id)).data).toEqual([
    { status: "pending", at: order.createdAt, actor: `user:${buyer().userId}` },
  ]);
  const event = await env.DB.prepare("select type, source, data from outbox_events").all();
  expect(event.results).toEqual([
    {
      type: "order.placed",
      source: "/meridian/orders",
      data: JSON.stringify({
        orderId: order.id,
        userId: buyer().userId,
        status: "pending",
        currency: "EUR",
        totalMinor: 3_697,
      }),
    },
  ]);
  expect(await countOf("audit_log", `action = 'order.place' and subject = 'order:${order.id}'`)).toBe(1);
});

test("a later price, name or deletion of a product never reaches an order", async () => {
  const shop = openShop();
  const product = await addProduct(shop, { priceMinor: 100, name: "Old" });
  const order = await placeOne(shop, product, 2);
  granted(
    await shop.products.patch(callBy(ADMIN), product.id, { priceMinor: 999, name: "New", sku: "other" }),
  );
  expect(granted(await shop.orders.get(callBy(buyer()), order.id))).toEqual(order);
  granted(await shop.products.delete(callBy(ADMIN), product.id));
  expect(granted(await shop.orders.get(callBy(buyer()), order.id))).toEqual(order);
});

test("when one line cannot be served nothing is written, and each such product is named with what is left", async () => {
  const shop = openShop();
  const plenty = await addProduct(shop, { stock: 10 });
  const scarce = await addProduct(shop, { stock: 1 });
  const gone = await addProduct(shop, { stock: 0 });
  const refused = await shop.orders.place(callBy(buyer()), {
    items: [
      { productId: plenty.id, quantity: 1 },
      { productId: scarce.id, quantity: 2 },
      { productId: gone.id, quantity: 5 },
    ],
  });
  expect(refused).toMatchObject({
    refusal: {
      code: "out_of_stock",
      extensions: {
        products: [
          { productId: scarce.id, requested: 2, available: 1 },
          { productId: gone.id, requested: 5, available: 0 },
        ],
      },
    },
  });
  for (const table of ["orders", "order_lines", "order_history", "outbox_events"])
    expect(await countOf(table)).toBe(0);
  expect(await stockOf(plenty.id)).toBe(10);
});

test("unknown products and mixed currencies are refused at their lines", async () => {
  const shop = openShop();
  const euro = await addProduct(shop, { currency: "EUR" });
  const yen = await addProduct(shop, { currency: "JPY" });
  const refused = await shop.orders.place(callBy(buyer()), {
    items: [
      { productId: euro.id, quantity: 1 },
      { productId: newId(), quantity: 1 },
      { productId: yen.id, quantity: 1 },
    ],
  });
  expect(refused).toMatchObject({
    refusal: {
      code: "validation_failed",
      violations: [
        { pointer: "#/items/1/productId", code: "unknown_product" },
        { pointer: "#/items/2/productId", code: "mixed_currency" },
      ],
    },
  });
  expect(codeOf(await shop.orders.place(callBy(ANONYMOUS), { items: [] }))).toBe("unauthenticated");
});

test("the table itself refuses to hold less than nothing of a product", async () => {
  const { id } = await addProduct(openShop(), { stock: 3 });
  const sell = (pieces: number) =>
    env.DB.prepare("update products set stock = stock - ? where id = ?").bind(pieces, id).run();
  await sell(3);
  await expect(sell(1)).rejects.toThrow("products_stock_not_negative");
  expect(await stockOf(id)).toBe(0);
});

test("200 buyers at once of a product with stock 100: exactly 100 orders, stock 0, 100 events", async () => {
  const shop = openShop();
  const product = await addProduct(shop, { stock: 100 });
  const outcomes = await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      openShop(shop.clock).orders.place(callBy(buyer(100 + index)), {
        items: [{ productId: product.id, quantity: 1 }],
      }),
    ),
  );
  const codes = outcomes.map(codeOf);
  expect(codes.filter((code) => code === "ok")).toHaveLength(100);
  expect(codes.filter((code) => code === "out_of_stock")).toHaveLength(100);
  expect(await stockOf(product.id)).toBe(0);
  expect(await countOf("orders")).toBe(100);
  expect(await countOf("outbox_events", "type = 'order.placed'")).toBe(100);
  expect(await countOf("order_lines")).toBe(100);
}, 60_000);

test("200 buyers who each send their order three times under one key: the same 100 orders", async () => {
  const shop = openShop();
  const product = await addProduct(shop, { stock: 100 });
  const place = (index: number) => {
    const own = openShop(shop.clock);
    const attempt = keyed(own, { key: "once", caller: `user:${index}` });
    return runOnce(attempt, () =>
      own.orders.place(callBy(buyer(100 + index), { key: attempt }), {
        items: [{ productId: product.id, quantity: 1 }],
      }),
    );
  };
  const everybody = Array.from({ length: 200 }, (_, index) => index);
  const atOnce = await Promise.all(everybody.flatMap((index) => [place(index), place(index)]));
  const again = await Promise.all(everybody.map(place));
  expect(new Set(atOnce.map(codeOf))).toEqual(new Set(["ok", "out_of_stock", "idempotency_in_progress"]));
  const placed = again.filter((outcome) => outcome.ok).map((outcome) => granted(outcome).id);
  expect(new Set(placed).size).toBe(100);
  expect(await stockOf(product.id)).toBe(0);
  expect(await countOf("orders")).toBe(100);
  expect(await countOf("outbox_events")).toBe(100);
  expect(await countOf("idempotency_records", "state = 'claimed'")).toBe(0);
}, 60_000);

test("sold out between the read and the commit: refused with what is left then, in two round trips", async () => {
  const shop = openShop();
  const product = await addProduct(shop, { stock: 1 });
  const slow = openShop(shop.clock);
  const read = slow.database.read.bind(slow.database);
  // Another buyer is faster than this one's commit.
  slow.database.read = async (from, statements) => {
    const rows = await read(from, statements);
    await placeOne(shop, product);
    return rows;
  };
  const refused = await slow.orders.place(callBy(buyer()), {
    items: [{ productId: product.id, quantity: 1 }],
  });
  expect(refused).toMatchObject({
    refusal: {
      code: "out_of_stock",
      extensions: { products: [{ productId: product.id, requested: 1, available: 0 }] },
    },
  });
  expect(slow.scope.calls.d1RoundTrips).toBe(2);
  expect(await countOf("orders")).toBe(1);
});

test("an order of 50 lines takes two round trips, with and without a key, and few parameters a statement", async () => {
  const shop = openShop();
  const items: { productId: string; quantity: number }[] = [];
  for (let index = 0; index < 50; index += 1) {
    const product = await addProduct(shop, { name: "ø".repeat(200), stock: 2_000 });
    items.push({ productId: product.id, quantity: 1_000 });
  }
  const unkeyedShop = withoutRelay(openShop(shop.clock));
  const order = granted(await unkeyedShop.orders.place(callBy(buyer()), { items }));
  expect(order.items).toHaveLength(50);
  expect(order.totalMinor).toBe(50 * 1_000 * 1_250);
  expect(unkeyedShop.scope.calls.d1RoundTrips).toBe(2);

  const keyedShop = withoutRelay(openShop(shop.clock));
  const parameterCounts = countParameters(keyedShop);
  const attempt = keyed(keyedShop, { key: "fifty" });
  const again = await runOnce(attempt, () =>
    keyedShop.orders.place(callBy(buyer(), { key: attempt }), { items }),
  );
  expect(granted(again).items).toHaveLength(50);
  expect(keyedShop.scope.calls.d1RoundTrips).toBe(2);
  // The claim, its look and the read; then the order's own batch.
  expect(parameterCounts.length).toBeGreaterThan(3 + 6);
  expect(Math.max(...parameterCounts)).toBeLessThan(30);
});

/** Of each statement, whether Drizzle builds it anew or not: what Drizzle itself asks of it. */
interface Prepared {
  _prepare(): { getQuery(): { readonly params: readonly unknown[] } };
}

/** How many parameters each statement of a batch has, as it is committed. */
function countParameters(shop: Shop): number[] {
  const counts: number[] = [];
  const count = (statement: Statement) => {
    counts.push((statement as unknown as Prepared)._prepare().getQuery().params.length);
  };
  const { database } = shop;
  const commit = database.commit.bind(database);
  database.commit = async (statements, options) => {
    statements.forEach(count);
    return await commit(statements, options);
  };
  return counts;
}

/** Leaves out what follows the response, which runs in the same scope and would be counted with it. */
function withoutRelay(shop: Shop): Shop {
  shop.outbox.relaySoon = () => undefined;
  return shop;
}
