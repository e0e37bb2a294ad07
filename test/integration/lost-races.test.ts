/** What a writer pays when another was faster between its read and its commit, counted at the database. */

import { env } from "cloudflare:workers";
import { afterEach, expect, test } from "vitest";
import { NO_PRECONDITION, type Precondition } from "../../src/kernel/entity-tag";
import type { Outcome } from "../../src/kernel/errors";
import { callBy } from "../../src/platform/call";
import { configOf } from "../../src/platform/env";
import { type CallKey, NO_KEY, runOnce } from "../../src/platform/idempotency";
import { wire } from "../../src/wiring";
import { storeDeadLetter, storeProduct } from "../support/call-budget/stage";
import { ADMIN, addProduct, codeOf, countOf, keyed, openShop, placeOne } from "../support/orders";
import { settled, testRequest } from "../support/scope";
import { storeUser } from "../support/stored-user";

afterEach(settled);

const FIRST: Precondition = { kind: "versions", versions: [1] };

type Services = ReturnType<typeof wire>;

/** Runs a use case whose read is followed at once by another write. Returns its code, and its D1 round trips. */
async function raced<T>(
  write: string,
  run: (services: Services, key: CallKey) => Promise<Outcome<T>>,
  isKeyed = true,
): Promise<readonly [string, number]> {
  const { scope, respond } = testRequest();
  const given = isKeyed ? keyed({ scope }, { key: scope.newId() }) : NO_KEY;
  const key: CallKey = {
    isGiven: given.isGiven,
    isReplay: false,
    record: given.record.bind(given),
    release: given.release.bind(given),
    keep: given.keep.bind(given),
    abandon: given.abandon.bind(given),
    async open(database, reads) {
      const opened = await given.open(database, reads);
      await env.DB.prepare(write).run();
      return opened;
    },
  };
  const outcome = await runOnce(key, () => run(wire(env, configOf(env), scope), key));
  expect(await countOf("idempotency_records", "state = 'claimed'")).toBe(0);
  return [codeOf(outcome), respond().d1RoundTrips];
}

test.each([true, false])(
  "a deletion that lost its race is refused in no further trip, and goes on in one more (key: %s)",
  async (isKeyed) => {
    const [changed, gone, renamed] = [await storeUser(), await storeUser(), await storeUser()];
    const remove = (id: string, precondition: Precondition, write: string) =>
      raced(
        `${write} where id = '${id}'`,
        ({ users }, key) => users.delete(callBy(ADMIN, { precondition, key }), id),
        isKeyed,
      );
    const rename = "update users set version = 2, last_change_id = 'x'";
    expect(await remove(changed.id, FIRST, rename)).toEqual(["precondition_failed", 2]);
    expect(await remove(gone.id, FIRST, "delete from users")).toEqual(["not_found", 2]);
    expect(await remove(renamed.id, NO_PRECONDITION, rename)).toEqual(["ok", 3]);
    expect(await countOf("users", `id in ('${gone.id}', '${renamed.id}')`)).toBe(0);
    expect(await countOf("outbox_events", "type = 'user.deleted'")).toBe(1);
  },
);

test("a change of a user that lost its race is decided anew on what its own commit read: one trip more", async () => {
  const [user, uncached] = [await storeUser(), await storeUser()];
  const patch = (input: object, precondition: Precondition, isKeyed = true, id = user.id) =>
    raced(
      `update users set version = version + 1, age = 40, last_change_id = 'x' where id = '${id}'`,
      ({ users }, key) => users.patch(callBy(ADMIN, { precondition, key }), id, input),
      isKeyed,
    );
  expect(await patch({ name: "Ada King" }, NO_PRECONDITION)).toEqual(["ok", 3]);
  expect(await countOf("users", "name = 'Ada King' and age = 40")).toBe(1);
  expect(await patch({ role: "admin" }, NO_PRECONDITION, false, uncached.id)).toEqual(["ok", 3]);
  const current: Precondition = { kind: "versions", versions: [3] };
  expect(await patch({ name: "Eve" }, current)).toEqual(["precondition_failed", 2]);
  expect(await countOf("users", "name = 'Eve'")).toBe(0);
});

test("an order that moved meanwhile is decided anew on what its own commit read, under If-Match not at all", async () => {
  const shop = openShop();
  const product = await addProduct(shop);
  const change = async (isKeyed: boolean, precondition: Precondition, status: "paid" | "cancelled") => {
    const { id } = await placeOne(shop, product);
    return await raced(
      `update orders set status = 'cancelled', version = 2, last_change_id = 'x' where id = '${id}'`,
      ({ orders }, key) => orders.changeStatus(callBy(ADMIN, { precondition, key }), id, { status }),
      isKeyed,
    );
  };
  expect(await change(false, NO_PRECONDITION, "paid")).toEqual(["invalid_transition", 2]);
  // The key is freed by a call of its own: what is decided anew may still want it.
  expect(await change(true, NO_PRECONDITION, "paid")).toEqual(["invalid_transition", 3]);
  expect(await change(true, FIRST, "paid")).toEqual(["precondition_failed", 2]);
});

test("a product that was sold meanwhile is changed on what the failed commit read, and deleted in no further trip", async () => {
  const [changed, stale, sold, gone] = [
    await storeProduct(),
    await storeProduct(),
    await storeProduct(),
    await storeProduct(),
  ];
  const sale = (id: string) =>
    `update products set version = 2, stock = 1, last_change_id = 'x' where id = '${id}'`;
  const patch = (id: string, precondition: Precondition) =>
    raced(sale(id), ({ products }, key) =>
      products.patch(callBy(ADMIN, { precondition, key }), id, { name: "Lamp II" }),
    );
  expect(await patch(changed, NO_PRECONDITION)).toEqual(["ok", 3]);
  expect(await countOf("products", `id = '${changed}' and stock = 1 and name = 'Lamp II'`)).toBe(1);
  expect(await patch(stale, FIRST)).toEqual(["precondition_failed", 2]);
  const remove = (id: string, write: string) =>
    raced(write, ({ products }, key) => products.delete(callBy(ADMIN, { precondition: FIRST, key }), id));
  expect(await remove(sold, sale(sold))).toEqual(["precondition_failed", 2]);
  expect(await remove(gone, `delete from products where id = '${gone}'`)).toEqual(["not_found", 2]);
  expect(await countOf("products", `id = '${sold}'`)).toBe(1);
});

test("of dead letters one of which another took, the others are replayed in one trip more", async () => {
  const [taken, left] = [await storeDeadLetter(), await storeDeadLetter()];
  const replay = (write: string) =>
    raced(write, ({ events }, key) => events.replayMany(callBy(ADMIN, { key }), {}));
  const take = `update dead_letters set state = 'discarded' where id = '${taken.id}'`;
  expect(await replay(take)).toEqual(["ok", 3]);
  expect(await countOf("dead_letters", `id = '${left.id}' and state = 'replayed'`)).toBe(1);
  const last = await storeDeadLetter();
  // None is left: the second commit takes none.
  expect(await replay(`update dead_letters set state = 'discarded' where id = '${last.id}'`)).toEqual([
    "ok",
    3,
  ]);
});

test("a dead letter that another resolved meanwhile is refused, and its key freed, in one trip more", async () => {
  const { id } = await storeDeadLetter();
  const take = `update dead_letters set state = 'discarded', last_change_id = 'x' where id = '${id}'`;
  expect(await raced(take, ({ events }, key) => events.replay(callBy(ADMIN, { key }), id))).toEqual([
    "invalid_transition",
    3,
  ]);
});
