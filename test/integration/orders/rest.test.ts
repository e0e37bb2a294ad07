import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { type Account, createAccount, createAdmin } from "../../support/accounts";
import { call } from "../../support/client";
import { countOf } from "../../support/orders";

async function createProduct(admin: Account, details: object = {}) {
  const json = { sku: "card-1", name: "Card", priceMinor: 1_250, currency: "EUR", stock: 10, ...details };
  return await admin.call("/api/products", { json });
}

test("products are written by administrators and read by anyone", async () => {
  const admin = await createAdmin();
  const user = await createAccount();
  const created = await createProduct(admin);
  expect(created.status).toBe(201);
  const { id } = created.json;
  expect(created.headers.get("location")).toBe(`/api/products/${id}`);
  expect(created.headers.get("etag")).toBe('"1"');
  expect(Object.keys(created.json)).toEqual([
    "id",
    "sku",
    "name",
    "priceMinor",
    "currency",
    "stock",
    "version",
    "createdAt",
    "updatedAt",
  ]);
  expect((await createProduct(admin)).json).toMatchObject({ code: "sku_taken", status: 409 });
  expect((await createProduct(user, { sku: "x" })).status).toBe(403);
  expect((await call("/api/products", { json: { ...created.json } })).status).toBe(400);

  const shown = await call(`/api/products/${id}`);
  expect(shown.json).toEqual(created.json);
  expect((await call(`/api/products/${id}`, { headers: { "If-None-Match": '"1"' } })).status).toBe(304);
  expect((await call("/api/products?limit=1")).json).toEqual({ data: [created.json], nextCursor: null });

  const patch = { method: "PATCH", json: { priceMinor: 1_300 } };
  expect((await user.call(`/api/products/${id}`, patch)).status).toBe(403);
  expect((await admin.call(`/api/products/${id}`, { ...patch, headers: { "If-Match": '"7"' } })).status).toBe(
    412,
  );
  const changed = await admin.call(`/api/products/${id}`, { ...patch, headers: { "If-Match": '"1"' } });
  expect(changed.json).toMatchObject({ priceMinor: 1_300, version: 2 });
  expect((await admin.call(`/api/products/${id}`, { method: "DELETE" })).status).toBe(204);
  expect((await call(`/api/products/${id}`)).status).toBe(404);
});

test.each([
  ["a price in fractions", { priceMinor: 12.5 }, "#/priceMinor"],
  ["a negative price", { priceMinor: -1 }, "#/priceMinor"],
  ["a price past the bound", { priceMinor: 100_000_000_001 }, "#/priceMinor"],
  ["a negative stock", { stock: -1 }, "#/stock"],
  ["a currency in lower case", { currency: "eur" }, "#/currency"],
  ["a code that is no currency", { currency: "XXX" }, "#/currency"],
  ["an empty name", { name: "  " }, "#/name"],
  ["an override in the name", { name: "a\u202eb" }, "#/name"],
])("a product with %s is refused at the field", async (_, details, pointer) => {
  const refused = await createProduct(await createAdmin(), details);
  expect(refused.status).toBe(400);
  expect(refused.json.errors[0].pointer).toBe(pointer);
});

test("an order is placed, read, listed, followed and cancelled by its owner, and is nobody else's", async () => {
  const admin = await createAdmin();
  const owner = await createAccount();
  const stranger = await createAccount();
  const product = (await createProduct(admin)).json;
  const json = { items: [{ productId: product.id, quantity: 3 }] };
  expect((await call("/api/orders", { json })).status).toBe(401);
  const placed = await owner.call("/api/orders", { json });
  expect(placed.status).toBe(201);
  const path = `/api/orders/${placed.json.id}`;
  expect(placed.headers.get("location")).toBe(path);
  expect(placed.headers.get("etag")).toBe('"1"');
  expect(placed.headers.get("x-d1-bookmark")).not.toBeNull();
  expect(placed.json).toEqual({
    id: placed.json.id,
    userId: owner.id,
    status: "pending",
    currency: "EUR",
    totalMinor: 3_750,
    items: [
      {
        productId: product.id,
        sku: "card-1",
        name: "Card",
        unitPriceMinor: 1_250,
        quantity: 3,
        lineTotalMinor: 3_750,
      },
    ],
    version: 1,
    createdAt: placed.json.createdAt,
    updatedAt: placed.json.createdAt,
  });
  expect((await owner.call(path)).json).toEqual(placed.json);
  expect((await owner.call("/api/orders")).json.data).toEqual([placed.json]);
  expect((await stranger.call("/api/orders")).json.data).toEqual([]);
  const [theirs, missing] = [
    await stranger.call(path),
    await stranger.call(`/api/orders/${crypto.randomUUID()}`),
  ];
  expect(theirs.status).toBe(404);
  expect({ ...theirs.json, instance: "", requestId: "" }).toEqual({
    ...missing.json,
    instance: "",
    requestId: "",
  });

  const refused = await owner.call("/api/orders", {
    json: { items: [{ productId: product.id, quantity: 8 }] },
  });
  expect(refused.json).toMatchObject({
    status: 409,
    code: "out_of_stock",
    products: [{ productId: product.id, requested: 8, available: 7 }],
  });
  expect((await owner.call(path, { method: "PATCH", json: { status: "shipped" } })).status).toBe(403);
  const cancel = { method: "PATCH", json: { status: "cancelled" } };
  expect((await owner.call(path, { ...cancel, headers: { "If-Match": '"2"' } })).status).toBe(412);
  expect((await owner.call(path, { ...cancel, headers: { "If-None-Match": "*" } })).status).toBe(412);
  const cancelled = await owner.call(path, { ...cancel, headers: { "If-Match": 'W/"1", "1"' } });
  expect(cancelled.json).toMatchObject({ status: "cancelled", version: 2 });
  expect(cancelled.headers.get("etag")).toBe('"2"');
  expect((await owner.call(path, cancel)).json).toMatchObject({ status: 409, code: "invalid_transition" });
  const history = await owner.call(`${path}/history`);
  expect(history.json).toEqual({
    data: [
      { status: "pending", at: placed.json.createdAt, actor: `user:${owner.id}` },
      { status: "cancelled", at: cancelled.json.updatedAt, actor: `user:${owner.id}` },
    ],
    nextCursor: null,
  });
});

test("a replay repeats status, body byte for byte and the headers that matter, and says that it is one", async () => {
  const admin = await createAdmin();
  const owner = await createAccount();
  const product = (await createProduct(admin)).json;
  const json = { items: [{ productId: product.id, quantity: 1 }] };
  const headers = { "Idempotency-Key": "order-1" };
  const first = await owner.call("/api/orders", { json, headers });
  await admin.call(`/api/orders/${first.json.id}`, { method: "PATCH", json: { status: "paid" } });
  const second = await owner.call("/api/orders", { json, headers });
  expect(first.headers.get("idempotency-replayed")).toBeNull();
  expect(second.headers.get("idempotency-replayed")).toBe("true");
  expect(second.status).toBe(201);
  expect(second.text).toBe(first.text);
  for (const name of ["etag", "location", "content-type"])
    expect(second.headers.get(name)).toBe(first.headers.get(name));
  expect(await countOf("orders")).toBe(1);

  const other = await owner.call("/api/orders", {
    json: { items: [{ productId: product.id, quantity: 2 }] },
    headers,
  });
  expect(other.json).toMatchObject({ status: 422, code: "idempotency_key_reused" });
  const stranger = await createAccount();
  expect(
    (await stranger.call("/api/orders", { json, headers })).headers.get("idempotency-replayed"),
  ).toBeNull();
});

test.each(["", "two words", "x".repeat(256)])(
  "a malformed key is refused on every unsafe call",
  async (key) => {
    const user = await createAccount();
    const headers = { "Idempotency-Key": key };
    for (const path of ["/api/orders", "/api/users", "/api/auth/login"]) {
      const refused = await user.call(path, { json: {}, headers });
      expect(refused.status).toBe(400);
      expect(refused.json.errors[0].pointer).toBe("#/header/Idempotency-Key");
    }
  },
);

test("a revoked token gets no replay", async () => {
  const owner = await createAccount();
  const headers = { "Idempotency-Key": "bye" };
  const first = await owner.call(`/api/users/${owner.id}`, { method: "DELETE", headers });
  expect(first.status).toBe(204);
  const second = await owner.call(`/api/users/${owner.id}`, { method: "DELETE", headers });
  expect(second.json).toMatchObject({ status: 401, code: "token_revoked" });
});

test("an administrator's deletion of a user is replayed, and a refused one is not remembered", async () => {
  const admin = await createAdmin();
  const user = await createAccount();
  const request = { method: "DELETE", headers: { "Idempotency-Key": "bye" } };
  const stale = { ...request, headers: { ...request.headers, "If-Match": '"9"' } };
  expect((await admin.call(`/api/users/${user.id}`, stale)).status).toBe(412);
  expect((await admin.call(`/api/users/${user.id}`, request)).status).toBe(204);
  const again = await admin.call(`/api/users/${user.id}`, request);
  expect(again.status).toBe(204);
  expect(again.headers.get("idempotency-replayed")).toBe("true");
  const { results } = await env.DB.prepare("select type from outbox_events where subject = ?")
    .bind(user.id)
    .all();
  expect(results.map(({ type }) => type)).toEqual(["user.created", "user.deleted"]);
});
