import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { Outcome } from "../../../src/kernel/errors";
import { callBy } from "../../../src/platform/call";
import { type HeldKey, runOnce, sweepIdempotencyRecords } from "../../../src/platform/idempotency";
import type { Order, Product } from "../../../src/services/orders";
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
  setStatus,
  stockOf,
} from "../../support/orders";
import { TestClock } from "../../support/outbox";

const LEASE_SECONDS = 10;
const DAY_SECONDS = 86_400;

/** Places an order for one piece under a key, as one request. */
async function place(
  shop: Shop,
  product: Product,
  call: Partial<Parameters<typeof keyed>[1]> = {},
): Promise<{ outcome: Outcome<Order>; isReplay: boolean }> {
  const own = openShop(shop.clock);
  const attempt = keyed(own, { key: "key-1", ...call });
  const items = [{ productId: product.id, quantity: 1 }];
  const outcome = await runOnce(attempt, () =>
    own.orders.place(callBy(buyer(), { key: attempt }), { items }),
  );
  return { outcome, isReplay: attempt.isReplay };
}

test("one request sent 50 times at once under one key: one order, and equal answers or in flight, then equal", async () => {
  const shop = openShop();
  const product = await addProduct(shop, { stock: 100 });
  const answers = await Promise.all(Array.from({ length: 50 }, () => place(shop, product)));
  const codes = new Set(answers.map(({ outcome }) => codeOf(outcome)));
  expect([...codes].every((code) => code === "ok" || code === "idempotency_in_progress")).toBe(true);
  const [first] = answers.filter(({ outcome }) => outcome.ok);
  if (first === undefined) throw new Error("nobody was answered");
  const order = granted(first.outcome);
  const later = await Promise.all(Array.from({ length: 50 }, () => place(shop, product)));
  for (const { outcome } of [...answers.filter(({ outcome }) => outcome.ok), ...later])
    expect(JSON.stringify(granted(outcome))).toBe(JSON.stringify(order));
  expect(later.every(({ isReplay }) => isReplay)).toBe(true);
  expect(await countOf("orders")).toBe(1);
  expect(await countOf("outbox_events")).toBe(1);
  expect(await stockOf(product.id)).toBe(99);
});

test("a crash between claim and commit: in flight until the lease ends, then the retry places one order", async () => {
  const shop = openShop();
  const product = await addProduct(shop);
  const crashed = keyed(openShop(shop.clock), { key: "key-1" });
  await crashed.open(shop.database, []);
  shop.clock.advance(LEASE_SECONDS - 1);
  const early = await place(shop, product);
  expect(early.outcome).toMatchObject({ refusal: { code: "idempotency_in_progress", retryAfterSeconds: 1 } });
  expect(await countOf("orders")).toBe(0);
  shop.clock.advance(1);
  const order = granted((await place(shop, product)).outcome);
  expect(granted((await place(shop, product)).outcome)).toEqual(order);
  expect(await countOf("orders")).toBe(1);
});

test("an attempt that was slower than its lease writes nothing once another took the key over", async () => {
  const shop = openShop();
  const product = await addProduct(shop);
  const slow = openShop(shop.clock);
  const slowAttempt = keyed(slow, { key: "key-1" });
  const open = slowAttempt.open.bind(slowAttempt);
  let overtaking: Order | undefined;
  slowAttempt.open = async (database, reads) => {
    const opened = await open(database, reads);
    shop.clock.advance(LEASE_SECONDS);
    overtaking = granted((await place(shop, product)).outcome);
    return opened;
  };
  const outcome = await runOnce(slowAttempt, () =>
    slow.orders.place(callBy(buyer(), { key: slowAttempt }), {
      items: [{ productId: product.id, quantity: 1 }],
    }),
  );
  expect(codeOf(outcome)).toBe("idempotency_in_progress");
  expect(await countOf("orders")).toBe(1);
  expect(await countOf("outbox_events")).toBe(1);
  expect(await stockOf(product.id)).toBe(9);
  expect(granted((await place(shop, product)).outcome)).toEqual(overtaking);
});

test("an attempt whose key was taken over and freed again writes nothing either", async () => {
  const shop = openShop();
  const product = await addProduct(shop);
  const slow = openShop(shop.clock);
  const slowAttempt = keyed(slow, { key: "key-1" });
  const open = slowAttempt.open.bind(slowAttempt);
  slowAttempt.open = async (database, reads) => {
    const opened = await open(database, reads);
    await env.DB.prepare("delete from idempotency_records").run();
    return opened;
  };
  const outcome = await runOnce(slowAttempt, () =>
    slow.orders.place(callBy(buyer(), { key: slowAttempt }), {
      items: [{ productId: product.id, quantity: 1 }],
    }),
  );
  expect(codeOf(outcome)).toBe("idempotency_in_progress");
  expect(await countOf("orders")).toBe(0);
});

test("a key with another body is 422, while in flight and afterwards; elsewhere it is another key", async () => {
  const shop = openShop();
  const product = await addProduct(shop);
  await keyed(openShop(shop.clock), { key: "flying" }).open(shop.database, []);
  const flying = await place(shop, product, { key: "flying", input: { other: 1 } });
  expect(codeOf(flying.outcome)).toBe("idempotency_key_reused");
  const order = granted((await place(shop, product)).outcome);
  expect(codeOf((await place(shop, product, { input: { other: 1 } })).outcome)).toBe(
    "idempotency_key_reused",
  );
  const others = [{ caller: "user:2" }, { useCase: "orders.other" }, { target: "other" }, { key: "key-2" }];
  for (const other of others) {
    const { outcome, isReplay } = await place(shop, product, other);
    expect(isReplay).toBe(false);
    expect(granted(outcome).id).not.toBe(order.id);
  }
  expect(await countOf("orders")).toBe(1 + others.length);
});

test("a refusal is not remembered: the same key works once the reason is gone, with another body too", async () => {
  const shop = openShop();
  const product = await addProduct(shop, { stock: 0 });
  expect(codeOf((await place(shop, product)).outcome)).toBe("out_of_stock");
  expect(await countOf("idempotency_records")).toBe(0);
  granted(await shop.products.patch(callBy(ADMIN), product.id, { stock: 1 }));
  granted((await place(shop, product, { input: { corrected: true } })).outcome);
  expect(await stockOf(product.id)).toBe(0);
});

test("an answer is kept for 24 hours, and swept after", async () => {
  const shop = openShop();
  const product = await addProduct(shop);
  const order = granted((await place(shop, product)).outcome);
  shop.clock.advance(DAY_SECONDS - 1);
  expect(await sweepIdempotencyRecords(shop.database, shop.clock.now)).toBe(0);
  expect(granted((await place(shop, product)).outcome)).toEqual(order);
  shop.clock.advance(1);
  expect(granted((await place(shop, product)).outcome).id).not.toBe(order.id);
  shop.clock.advance(DAY_SECONDS);
  expect(await sweepIdempotencyRecords(shop.database, shop.clock.now)).toBe(1);
  expect(await countOf("idempotency_records")).toBe(0);
});

test("what is stored tells nothing of body, caller or key, and opens at no other row", async () => {
  const shop = openShop();
  const product = await addProduct(shop, { name: "Secret gift" });
  granted(
    (await place(shop, product, { key: "my-key", caller: "user:me", input: { password: "hunter2" } }))
      .outcome,
  );
  const stored = JSON.stringify((await env.DB.prepare("select * from idempotency_records").all()).results);
  for (const plain of ["Secret gift", product.id, "my-key", "user:me", "hunter2"]) {
    expect(stored).not.toContain(plain);
    expect(stored).not.toContain(btoa(plain).replace(/=+$/, ""));
  }
  granted((await place(shop, product, { key: "other" })).outcome);
  await env.DB.prepare(
    "update idempotency_records set answer = (select answer from idempotency_records order by rowid limit 1)",
  ).run();
  await expect(place(shop, product, { key: "other" })).rejects.toThrow();
});

test("a status is changed once under a key, and its answer is replayed after later changes", async () => {
  const shop = openShop();
  const order = await placeOne(shop, await addProduct(shop));
  const pay = async () => {
    const own = openShop(shop.clock);
    const attempt = keyed(own, { key: "pay", useCase: "orders.changeStatus", target: order.id });
    const outcome = await runOnce(attempt, () =>
      own.orders.changeStatus(callBy(ADMIN, { key: attempt }), order.id, { status: "paid" }),
    );
    return { outcome, trips: own.scope.calls.d1RoundTrips };
  };
  const first = granted((await pay()).outcome);
  expect(first).toMatchObject({ status: "paid", version: 2 });
  granted(await setStatus(shop, order.id, "shipped"));
  const again = await pay();
  expect(granted(again.outcome)).toEqual(first);
  expect(again.trips).toBe(1);
  expect(await countOf("outbox_events", "type = 'order.paid'")).toBe(1);
});

test("permission is checked before a replay", async () => {
  const shop = openShop();
  const order = await placeOne(shop, await addProduct(shop));
  const cancel = async (actor = buyer()) => {
    const own = openShop(shop.clock);
    // The same caller to the record; another to the service.
    const attempt = keyed(own, { key: "cancel" });
    const outcome = await runOnce(attempt, () =>
      own.orders.changeStatus(callBy(actor, { key: attempt }), order.id, { status: "cancelled" }),
    );
    return { outcome, isReplay: attempt.isReplay };
  };
  granted((await cancel()).outcome);
  expect((await cancel()).isReplay).toBe(true);
  expect(codeOf((await cancel(buyer(99))).outcome)).toBe("not_found");
});

test("products are created, changed and deleted once under a key, sales in between notwithstanding", async () => {
  const shop = openShop(new TestClock());
  const once = async <T>(call: Parameters<typeof keyed>[1], run: (key: HeldKey) => Promise<Outcome<T>>) => {
    const key = keyed(shop, call);
    return { value: granted(await runOnce(key, () => run(key))), isReplay: key.isReplay };
  };
  const input = { sku: "one", name: "One", priceMinor: 100, currency: "EUR", stock: 10 };
  const create = () =>
    once<Product>({ key: "create" }, (attempt) =>
      shop.products.create(callBy(ADMIN, { key: attempt }), input),
    );
  const { value: product } = await create();
  expect(await create()).toEqual({ value: product, isReplay: true });

  const patch = (sell: boolean) =>
    once<Product>({ key: "patch" }, async (attempt) => {
      const open = attempt.open.bind(attempt);
      attempt.open = async (database, reads) => {
        const opened = await open(database, reads);
        if (sell) await placeOne(openShop(shop.clock), product);
        return opened;
      };
      return await shop.products.patch(callBy(ADMIN, { key: attempt }), product.id, { priceMinor: 200 });
    });
  const { value: changed } = await patch(true);
  expect(changed).toEqual(granted(await shop.products.get(callBy(), product.id)));
  expect(changed).toMatchObject({ priceMinor: 200, stock: 9, version: 3 });
  expect(await patch(false)).toEqual({ value: changed, isReplay: true });

  const remove = () =>
    once<null>({ key: "delete" }, (attempt) =>
      shop.products.delete(callBy(ADMIN, { key: attempt }), product.id),
    );
  expect(await remove()).toEqual({ value: null, isReplay: false });
  expect(await remove()).toEqual({ value: null, isReplay: true });
  expect(await countOf("audit_log", "action like 'product.%'")).toBe(3);
});

test("a refusal under a key, the key's release included, takes no more than two round trips", async () => {
  const shop = openShop();
  const [product, other] = [
    await addProduct(shop, { sku: "a", stock: 0 }),
    await addProduct(shop, { sku: "b" }),
  ];
  const order = await placeOne(shop, other);
  const stale = { kind: "versions", versions: [9] } as const;
  const input = { sku: "a", name: "A", priceMinor: 1, currency: "EUR", stock: 1 };
  const under = async <T>(
    own: Shop,
    call: Parameters<typeof keyed>[1],
    run: (key: HeldKey) => Promise<Outcome<T>>,
  ) => {
    const key = keyed(own, call);
    return await runOnce(key, () => run(key));
  };
  const refused: Readonly<Record<string, (own: Shop) => Promise<Outcome<unknown>>>> = {
    out_of_stock: (own) =>
      under(own, { key: "1" }, (attempt) =>
        own.orders.place(callBy(buyer(), { key: attempt }), {
          items: [{ productId: product.id, quantity: 1 }],
        }),
      ),
    sku_taken: (own) =>
      under(own, { key: "2" }, (attempt) => own.products.create(callBy(ADMIN, { key: attempt }), input)),
    "sku_taken ": (own) =>
      under(own, { key: "3" }, (attempt) =>
        own.products.patch(callBy(ADMIN, { key: attempt }), other.id, { sku: "a" }),
      ),
    precondition_failed: (own) =>
      under(own, { key: "4" }, (attempt) =>
        own.products.delete(callBy(ADMIN, { key: attempt, precondition: stale }), other.id),
      ),
    invalid_transition: (own) =>
      under(own, { key: "5" }, (attempt) =>
        own.orders.changeStatus(callBy(ADMIN, { key: attempt }), order.id, { status: "delivered" }),
      ),
  };
  for (const [code, refusedCall] of Object.entries(refused)) {
    const own = openShop(shop.clock);
    expect(codeOf(await refusedCall(own))).toBe(code.trim());
    expect(own.scope.calls.d1RoundTrips).toBe(2);
  }
  expect(await countOf("idempotency_records")).toBe(0);
});
