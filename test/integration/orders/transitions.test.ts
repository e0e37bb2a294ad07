import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { callBy } from "../../../src/platform/call";
import { ORDER_STATUSES, type Order, type OrderStatus } from "../../../src/services/orders";
import { isTransition } from "../../../src/services/orders/order-status";
import {
  ADMIN,
  addProduct,
  buyer,
  codeOf,
  countOf,
  granted,
  keyed,
  openShop,
  PENDING_TTL_SECONDS,
  placeOne,
  type Shop,
  setStatus,
  stockOf,
} from "../../support/orders";

/** How each status is reached from pending. */
const ROADS: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  pending: [],
  paid: ["paid"],
  shipped: ["paid", "shipped"],
  delivered: ["paid", "shipped", "delivered"],
  cancelled: ["cancelled"],
  refunded: ["paid", "refunded"],
};

async function orderIn(shop: Shop, status: OrderStatus): Promise<Order> {
  let order = await placeOne(shop, await addProduct(shop), 2);
  for (const step of ROADS[status]) order = granted(await setStatus(shop, order.id, step));
  return order;
}

const eventsOf = (orderId: string) =>
  env.DB.prepare("select type from outbox_events where subject = ? order by sequence")
    .bind(orderId)
    .all<{ type: string }>()
    .then(({ results }) => results.map(({ type }) => type));

test.each(ORDER_STATUSES)(
  "from %s, an administrator gets exactly the transitions that are drawn",
  async (from) => {
    const shop = openShop();
    for (const to of ORDER_STATUSES) {
      const order = await orderIn(shop, from);
      const outcome = await setStatus(shop, order.id, to);
      const history = granted(await shop.orders.history(callBy(ADMIN), order.id)).data;
      if (isTransition(from, to)) {
        expect(granted(outcome)).toMatchObject({
          status: to,
          version: order.version + 1,
          items: order.items,
        });
        expect(granted(await shop.orders.get(callBy(ADMIN), order.id))).toEqual(granted(outcome));
        expect(await eventsOf(order.id)).toEqual([
          "order.placed",
          ...[...ROADS[from], to].map((status) => `order.${status}`),
        ]);
        expect(history.map(({ status }) => status)).toEqual(["pending", ...ROADS[from], to]);
      } else {
        expect(codeOf(outcome)).toBe("invalid_transition");
        expect(granted(await shop.orders.get(callBy(ADMIN), order.id))).toEqual(order);
        expect(await eventsOf(order.id)).toHaveLength(1 + ROADS[from].length);
        expect(history).toHaveLength(1 + ROADS[from].length);
      }
    }
  },
);

test("an owner cancels a pending order; what else they try is 403, or 409 once it is paid", async () => {
  const shop = openShop();
  const pending = await orderIn(shop, "pending");
  for (const to of ["paid", "shipped", "delivered", "refunded", "pending"] as const)
    expect(codeOf(await setStatus(shop, pending.id, to, buyer()))).toBe("forbidden");
  expect(codeOf(await setStatus(shop, pending.id, "cancelled", buyer()))).toBe("ok");
  const paid = await orderIn(shop, "paid");
  expect(codeOf(await setStatus(shop, paid.id, "cancelled", buyer()))).toBe("invalid_transition");
});

test("another's order and none at all are refused alike, whatever is asked of them", async () => {
  const shop = openShop();
  const order = await orderIn(shop, "pending");
  const stranger = buyer(99);
  const missing = crypto.randomUUID();
  for (const to of ["cancelled", "paid"] as const) {
    const theirs = await setStatus(shop, order.id, to, stranger);
    expect(codeOf(theirs)).toBe("not_found");
    expect(await setStatus(shop, missing, to, stranger)).toEqual(theirs);
  }
  expect(await shop.orders.get(callBy(stranger), missing)).toEqual(
    await shop.orders.get(callBy(stranger), order.id),
  );
  expect(await shop.orders.history(callBy(stranger), missing)).toEqual(
    await shop.orders.history(callBy(stranger), order.id),
  );
  expect(codeOf(await setStatus(shop, missing, "paid"))).toBe("not_found");
  expect(codeOf(await shop.orders.list(callBy(stranger), { limit: 20, userId: buyer().userId }))).toBe(
    "forbidden",
  );
});

test("cancelling returns the stock once, in the order's own batch; refunding returns none", async () => {
  const shop = openShop();
  const product = await addProduct(shop, { stock: 10 });
  const order = await placeOne(shop, product, 4);
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, () => setStatus(openShop(shop.clock), order.id, "cancelled")),
  );
  expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
  expect(new Set(outcomes.map(codeOf))).toEqual(new Set(["ok", "invalid_transition"]));
  expect(await stockOf(product.id)).toBe(10);
  expect(await eventsOf(order.id)).toEqual(["order.placed", "order.cancelled"]);

  const sold = await placeOne(shop, product, 4);
  granted(await setStatus(shop, sold.id, "paid"));
  granted(await setStatus(shop, sold.id, "refunded"));
  expect(await stockOf(product.id)).toBe(6);
});

test("a stale If-Match changes nothing and is told before the state is looked at", async () => {
  const shop = openShop();
  const order = await orderIn(shop, "paid");
  const stale = { kind: "versions", versions: [order.version - 1] } as const;
  for (const status of ["shipped", "pending"] as const) {
    const outcome = await shop.orders.changeStatus(callBy(ADMIN, { precondition: stale }), order.id, {
      status,
    });
    expect(codeOf(outcome)).toBe("precondition_failed");
  }
  const current = { kind: "versions", versions: [order.version] } as const;
  granted(
    await shop.orders.changeStatus(callBy(ADMIN, { precondition: current }), order.id, { status: "shipped" }),
  );
});

test("of a payment and a cancellation at once both orders of events are possible, never a mix", async () => {
  const shop = openShop();
  const product = await addProduct(shop, { stock: 5 });
  const order = await placeOne(shop, product, 1);
  const [paid, cancelled] = await Promise.all([
    setStatus(openShop(shop.clock), order.id, "paid"),
    setStatus(openShop(shop.clock), order.id, "cancelled", buyer()),
  ]);
  expect([paid.ok, cancelled.ok].filter(Boolean)).toHaveLength(1);
  const { status, version } = granted(await shop.orders.get(callBy(ADMIN), order.id));
  expect(status).toBe(paid.ok ? "paid" : "cancelled");
  expect(version).toBe(2);
  expect(await stockOf(product.id)).toBe(paid.ok ? 4 : 5);
});

test("a payment that lost its race is told to nobody: no event, no revenue", async () => {
  const shop = openShop();
  const order = await placeOne(shop, await addProduct(shop));
  const late = openShop(shop.clock);
  const attempt = keyed(late, { key: "key-1" });
  const open = attempt.open.bind(attempt);
  attempt.open = async (database, reads) => {
    const opened = await open(database, reads);
    granted(await setStatus(openShop(shop.clock), order.id, "cancelled"));
    return opened;
  };
  expect(
    codeOf(await late.orders.changeStatus(callBy(ADMIN, { key: attempt }), order.id, { status: "paid" })),
  ).toBe("invalid_transition");
  expect(late.committed).toEqual([]);
  expect(await eventsOf(order.id)).toEqual(["order.placed", "order.cancelled"]);
});

test("a pending order expires at its time and not before, returns its stock, and a paid one never does", async () => {
  const shop = openShop();
  const product = await addProduct(shop, { stock: 100 });
  const paid = await placeOne(shop, product, 1);
  granted(await setStatus(shop, paid.id, "paid"));
  const orders: Order[] = [];
  for (let index = 0; index < 25; index += 1) orders.push(await placeOne(shop, product, 2));
  shop.clock.advance(PENDING_TTL_SECONDS - 1);
  expect(await shop.expiry.run()).toBe(0);
  expect(await stockOf(product.id)).toBe(49);
  shop.clock.advance(1);
  const crons = [openShop(shop.clock), openShop(shop.clock)];
  const seen = await Promise.all(crons.map(({ expiry }) => expiry.run()));
  expect(Math.max(...seen)).toBeGreaterThanOrEqual(20);
  expect(crons.flatMap(({ committed }) => committed)).toHaveLength(25);
  expect(await shop.expiry.run()).toBe(0);
  expect(await stockOf(product.id)).toBe(99);
  expect(await countOf("orders", "status = 'cancelled'")).toBe(25);
  expect(await countOf("outbox_events", "type = 'order.cancelled'")).toBe(25);
  expect(await countOf("order_history", "actor = 'system:order-expiry'")).toBe(25);
  expect(granted(await shop.orders.get(callBy(ADMIN), paid.id)).status).toBe("paid");
});

test("a deleted user's orders stay in the books without the person", async () => {
  const shop = openShop();
  const order = await placeOne(shop, await addProduct(shop), 2);
  const other = await placeOne(shop, await addProduct(shop), 1, buyer(3));
  const [first, ...rest] = shop.orders.forgetUser(buyer().userId).statements;
  if (first === undefined) throw new Error("nothing to commit");
  await shop.database.commit([first, ...rest]);
  const kept = granted(await shop.orders.get(callBy(ADMIN), order.id));
  expect(kept).toMatchObject({ userId: null, totalMinor: order.totalMinor, items: order.items, version: 2 });
  expect(granted(await shop.orders.history(callBy(ADMIN), order.id)).data[0]?.actor).toBe("user:deleted");
  expect(await countOf("orders", `user_id = '${buyer().userId}'`)).toBe(0);
  expect(granted(await shop.orders.get(callBy(ADMIN), other.id)).userId).toBe(buyer(3).userId);
  expect(codeOf(await setStatus(shop, order.id, "cancelled"))).toBe("ok");
});

test("a list shows one's own, newest first, with all lines, each order once, in one round trip a page", async () => {
  const shop = openShop();
  const product = await addProduct(shop, { stock: 100 });
  const mine: string[] = [];
  for (let index = 0; index < 7; index += 1) {
    mine.unshift((await placeOne(shop, product, index + 1)).id);
    if (index % 2 === 0) await placeOne(shop, product, 1, buyer(3));
    if (index % 3 === 0) shop.clock.advance(1);
  }
  const seen: Order[] = [];
  let cursor: string | undefined;
  do {
    const page = openShop(shop.clock);
    const { data, nextCursor } = granted(await page.orders.list(callBy(buyer()), { limit: 3, cursor }));
    expect(page.scope.calls.d1RoundTrips).toBe(1);
    seen.push(...data);
    cursor = nextCursor ?? undefined;
  } while (cursor !== undefined);
  expect(seen.map(({ id }) => id)).toEqual(mine);
  expect(
    seen.every(({ items, totalMinor }) => items.length === 1 && totalMinor === items[0]?.lineTotalMinor),
  ).toBe(true);
  expect(granted(await shop.orders.list(callBy(ADMIN), { limit: 100 })).data).toHaveLength(11);
  expect(
    granted(await shop.orders.list(callBy(ADMIN), { limit: 100, userId: buyer(3).userId })).data,
  ).toHaveLength(4);
  granted(await setStatus(shop, seen[0]?.id ?? "", "paid"));
  expect(granted(await shop.orders.list(callBy(buyer()), { limit: 100, status: "paid" })).data).toHaveLength(
    1,
  );
  const foreign = granted(await shop.orders.list(callBy(buyer()), { limit: 1 })).nextCursor ?? "";
  expect(codeOf(await shop.orders.list(callBy(buyer(3)), { limit: 1, cursor: foreign }))).toBe(
    "validation_failed",
  );
});

test("products: a stale If-Match changes nothing, a sale makes a tag stale, an empty patch changes nothing", async () => {
  const shop = openShop();
  const product = await addProduct(shop);
  await placeOne(shop, product);
  const stale = { kind: "versions", versions: [product.version] } as const;
  const patch = { stock: 50 };
  expect(codeOf(await shop.products.patch(callBy(ADMIN, { precondition: stale }), product.id, patch))).toBe(
    "precondition_failed",
  );
  expect(codeOf(await shop.products.delete(callBy(ADMIN, { precondition: stale }), product.id))).toBe(
    "precondition_failed",
  );
  expect(await stockOf(product.id)).toBe(9);
  const same = granted(await shop.products.patch(callBy(ADMIN), product.id, {}));
  expect(same).toMatchObject({ version: 2, stock: 9 });
  expect(codeOf(await shop.products.patch(callBy(buyer(), { precondition: stale }), product.id, patch))).toBe(
    "forbidden",
  );
});
