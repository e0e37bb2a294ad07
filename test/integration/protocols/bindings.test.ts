/** The services as another Worker calls them: over a binding of its own, whose props say who it is. */
import { exports } from "cloudflare:workers";
import { expect, test } from "vitest";
import { actorOf } from "../../../src/gateway/bindings/binding-call";
import type { OrderItem } from "../../../src/services/orders";
import { type Account, createAccount, createAdmin, freshEmail, PASSWORD } from "../../support/accounts";
import { storeProduct } from "../../support/call-budget/stage";
import { countOf, stockOf } from "../../support/orders";

const as = (actor: object) => ({ props: { actor } });
const SYSTEM = as({ kind: "system", name: "back-office" });
const userProps = ({ id }: Account, role = "user") => as({ kind: "user", userId: id, role });
const codeOf = (outcome: { ok: boolean; refusal?: { code: string } }) =>
  outcome.ok ? "ok" : outcome.refusal?.code;

async function orderOf(ada: Account) {
  const productId = await storeProduct();
  const orders = exports.OrdersEntrypoint(userProps(ada));
  const items: Pick<OrderItem, "productId" | "quantity">[] = [{ productId, quantity: 2 }];
  const placed = await orders.place({ items }, { idempotencyKey: "order-1" });
  return { orders, items, productId, placed };
}

test("an order is placed once under a key, in the name that the binding's props have", async () => {
  const ada = await createAccount();
  const { orders, items, productId, placed } = await orderOf(ada);
  expect(placed).toMatchObject({ ok: true, value: { userId: ada.id, status: "pending" } });
  const left = await stockOf(productId);
  expect(await orders.place({ items }, { idempotencyKey: "order-1" })).toEqual(placed);
  expect([await countOf("orders"), await stockOf(productId)]).toEqual([1, left]);
  const other = { items: [{ productId, quantity: 1 }] };
  expect(codeOf(await orders.place(other, { idempotencyKey: "order-1" }))).toBe("idempotency_key_reused");
  expect(codeOf(await orders.place(other, { idempotencyKey: "two words" }))).toBe("validation_failed");
  // A key is its caller's own.
  const grace = exports.OrdersEntrypoint(userProps(await createAccount()));
  expect(codeOf(await grace.place({ items }, { idempotencyKey: "order-1" }))).toBe("ok");
});

test("a status is changed by the rules of every protocol: permission, version, transition", async () => {
  const [ada, bob] = [await createAccount(), await createAccount()];
  const { orders, placed } = await orderOf(ada);
  const id = placed.ok ? placed.value.id : "";
  const office = exports.OrdersEntrypoint(SYSTEM);
  expect(codeOf(await exports.OrdersEntrypoint(userProps(bob)).get(id))).toBe("not_found");
  expect(codeOf(await orders.changeStatus(id, "paid"))).toBe("forbidden");
  expect(codeOf(await office.changeStatus(id, "paid", { expectedVersion: 7 }))).toBe("precondition_failed");
  expect(codeOf(await office.changeStatus(id, "delivered"))).toBe("invalid_transition");
  expect(codeOf(await office.changeStatus(id, "lost"))).toBe("validation_failed");
  expect(codeOf(await office.changeStatus(id, "paid", { expectedVersion: 1 }))).toBe("ok");
  expect(await office.list({ userId: ada.id, limit: 1 })).toMatchObject({
    ok: true,
    value: { data: [{ id }] },
  });
  expect(codeOf(await exports.OrdersEntrypoint(userProps(bob)).list({ userId: ada.id }))).toBe("forbidden");
});

test("a user is changed and deleted by itself or by a Worker, never by another user, whatever the arguments say", async () => {
  const [ada, bob] = [await createAccount(), await createAccount()];
  const [own, foreign] = [exports.UsersEntrypoint(userProps(ada)), exports.UsersEntrypoint(userProps(bob))];
  expect(codeOf(await foreign.update(ada.id, { name: "Mallory" }))).toBe("not_found");
  expect(codeOf(await foreign.update(ada.id, { name: "Mallory", actor: { kind: "system" } }))).toBe(
    "validation_failed",
  );
  expect(codeOf(await own.update(ada.id, { role: "admin" }))).toBe("forbidden");
  expect(codeOf(await own.update(ada.id, { age: 36 }, { expectedVersion: 9 }))).toBe("precondition_failed");
  expect(await own.update(ada.id, { age: 36 }, { expectedVersion: 1 })).toMatchObject({
    value: { age: 36, version: 2 },
  });
  expect(codeOf(await foreign.list())).toBe("forbidden");
  expect(codeOf(await exports.UsersEntrypoint(SYSTEM).list({ limit: 1 }))).toBe("ok");
  expect(codeOf(await foreign.delete(ada.id))).toBe("not_found");
  expect(codeOf(await exports.UsersEntrypoint(SYSTEM).delete(ada.id))).toBe("ok");
  expect(codeOf(await own.get(ada.id))).toBe("not_found");
});

test("a binding logs in, refreshes and verifies, and learns of a token that was ended", async () => {
  const auth = exports.AuthEntrypoint({ props: {} });
  const [email, admin] = [freshEmail(), await createAdmin()];
  await admin.call("/api/users", { json: { name: "Alan Turing", email, password: PASSWORD } });
  expect(codeOf(await auth.logIn({ email, password: "not the password" }))).toBe("invalid_credentials");
  const loggedIn = await auth.logIn({ email, password: PASSWORD });
  if (!loggedIn.ok) return expect.fail("was not logged in");
  const { refreshToken, user } = loggedIn.value;
  const refreshed = await auth.refreshSession(refreshToken);
  if (!refreshed.ok) return expect.fail("was not refreshed");
  const { accessToken } = refreshed.value;
  expect(await auth.verifyToken(accessToken)).toMatchObject({ ok: true, value: { userId: user.id } });
  await admin.call("/api/auth/logout", { method: "POST", token: accessToken });
  expect(codeOf(await auth.verifyToken(accessToken))).toBe("token_revoked");
  expect(codeOf(await auth.refreshSession("garbage"))).toBe("unauthenticated");
});

test.each([
  ["name nobody known", { actor: { kind: "root" } }],
  ["name a user without a role", { actor: { kind: "user", userId: "019ab000-0000-7000-8000-000000000000" } }],
  ["hold more than an actor", { actor: { kind: "system", name: "x" }, role: "admin" }],
])("props that %s open nothing", (_title, props) => {
  expect(() => actorOf(props)).toThrow("name no actor");
});
