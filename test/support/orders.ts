/** A shop for tests of products, orders and keys: real D1, a clock that moves only when told, no HTTP in between. */

import { env } from "cloudflare:workers";
import { consumersOf, delaySecondsOf } from "../../src/jobs/registry";
import type { Actor } from "../../src/kernel/actor";
import type { Outcome } from "../../src/kernel/errors";
import { AuditTrail } from "../../src/platform/audit";
import { callBy } from "../../src/platform/call";
import { newId } from "../../src/platform/clock";
import { Database } from "../../src/platform/database";
import { HeldKey, type KeyedCall } from "../../src/platform/idempotency";
import { Keyset } from "../../src/platform/keyset";
import { Outbox } from "../../src/platform/outbox";
import type { Scope } from "../../src/platform/scope";
import { Sealer } from "../../src/platform/sealing";
import type { Order, OrderStatus, Product } from "../../src/services/orders";
import { OrderExpiry } from "../../src/services/orders/expiry";
import { ProductRepository } from "../../src/services/orders/products/repository";
import { ProductService } from "../../src/services/orders/products/service";
import { OrderRepository } from "../../src/services/orders/repository";
import { OrderService } from "../../src/services/orders/service";
import { TestClock, TestQueue, type TestScope, testScope } from "./outbox";
import { TEST_SECRETS } from "./secrets";

export const ADMIN: Actor = { kind: "user", userId: newTestId(1), role: "admin", sessionId: null };

export const PENDING_TTL_SECONDS = 3600;

export function newTestId(number: number): string {
  return `019ab000-0000-7000-8000-${String(number).padStart(12, "0")}`;
}

export function buyer(number = 2): Actor & { kind: "user" } {
  return { kind: "user", userId: newTestId(number), role: "user", sessionId: null };
}

export interface Shop {
  readonly clock: TestClock;
  readonly scope: TestScope;
  readonly database: Database;
  readonly outbox: Outbox;
  readonly orders: OrderService;
  readonly products: ProductService;
  readonly expiry: OrderExpiry;
  /** Types of the events that the outbox was told were committed. */
  readonly committed: readonly string[];
}

/** As one request sees it. Requests of one test share the clock. */
export function openShop(clock = new TestClock()): Shop {
  const scope = testScope(clock);
  const database = new Database(env.DB, scope.calls);
  const committed: string[] = [];
  const queue = new TestQueue().binding;
  const outbox = new Outbox({
    database,
    scope,
    onCommitted: ({ type }) => void committed.push(type),
    queueOf: () => queue,
    consumersOf,
    delaySecondsOf,
    exports: new Map(),
    resendSeconds: 60,
    attemptsMax: 8,
    backoffSeconds: 10,
    publicUrl: "https://meridian.example",
  });
  const audit = new AuditTrail(database, scope);
  const keyset = new Keyset(database, new Sealer(TEST_SECRETS.DATA_KEY), scope);
  const repository = new OrderRepository(database);
  const products = new ProductRepository(database);
  return {
    clock,
    scope,
    database,
    outbox,
    committed,
    orders: new OrderService({ database, repository, products, outbox, audit, keyset, scope }),
    products: new ProductService({ database, repository: products, outbox, audit, keyset, scope }),
    expiry: new OrderExpiry({
      database,
      repository,
      products,
      outbox,
      scope,
      pendingTtlSeconds: PENDING_TTL_SECONDS,
    }),
  };
}

export function granted<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(`refused: ${outcome.refusal.code} ${JSON.stringify(outcome.refusal)}`);
  return outcome.value;
}

export function codeOf(outcome: Outcome<unknown>): string {
  return outcome.ok ? "ok" : outcome.refusal.code;
}

export async function addProduct(
  shop: Shop,
  details: Partial<Pick<Product, "sku" | "name" | "priceMinor" | "currency" | "stock">> = {},
): Promise<Product> {
  return granted(
    await shop.products.create(callBy(ADMIN), {
      sku: `sku-${newId()}`,
      name: "Punched cards",
      priceMinor: 1_250,
      currency: "EUR",
      stock: 10,
      ...details,
    }),
  );
}

export async function placeOne(shop: Shop, product: Product, quantity = 1, actor = buyer()): Promise<Order> {
  return granted(await shop.orders.place(callBy(actor), { items: [{ productId: product.id, quantity }] }));
}

export async function setStatus(shop: Shop, id: string, status: OrderStatus, actor: Actor = ADMIN) {
  return await shop.orders.changeStatus(callBy(actor), id, { status });
}

/** The key of a call, as a protocol would make it. */
export function keyed(
  shop: { readonly scope: Scope },
  call: Partial<KeyedCall> & Pick<KeyedCall, "key">,
  shapeVersion?: number,
): HeldKey {
  const known = {
    caller: "user:1",
    useCase: "orders.place",
    target: "",
    protocol: "rest",
    input: {},
  } as const;
  const on = { dataKey: TEST_SECRETS.DATA_KEY, scope: shop.scope };
  return new HeldKey({ ...known, ...call }, on, shapeVersion);
}

export async function countOf(table: string, where = "1"): Promise<number> {
  const row = await env.DB.prepare(`select count(*) as n from ${table} where ${where}`).first<{
    n: number;
  }>();
  return row?.n ?? -1;
}

export async function stockOf(productId: string): Promise<number> {
  const row = await env.DB.prepare("select stock from products where id = ?")
    .bind(productId)
    .first<{ stock: number }>();
  return row?.stock ?? Number.NaN;
}
