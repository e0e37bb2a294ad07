/** What happens by event and by the clock, through the Worker's own handlers. */
import {
  createExecutionContext,
  createMessageBatch,
  createScheduledController,
  getQueueResult,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import worker from "../../../src/worker";
import { type Account, createAccount, createAdmin } from "../../support/accounts";
import { countOf, PENDING_TTL_SECONDS, stockOf } from "../../support/orders";
import { rowsOf } from "../../support/outbox";

async function placeOrder(admin: Account, owner: Account) {
  const product = await admin.call("/api/products", {
    json: { sku: "card-1", name: "Card", priceMinor: 1_250, currency: "EUR", stock: 10 },
  });
  const json = { items: [{ productId: product.json.id, quantity: 3 }] };
  return { productId: product.json.id, order: (await owner.call("/api/orders", { json })).json };
}

/** Hands the pending deliveries of a subject's events to the Worker, as the queue would. */
async function deliver(subject: string, consumers: readonly string[]) {
  const pending = await rowsOf<{ event_id: string; consumer: string }>(
    `select event_id, consumer from event_deliveries join outbox_events on outbox_events.id = event_id
     where subject = ? and consumer in (select value from json_each(?))`,
    subject,
    JSON.stringify(consumers),
  );
  const batch = createMessageBatch(
    "meridian-events",
    pending.map(({ event_id, consumer }, index) => ({
      id: String(index),
      timestamp: new Date(),
      attempts: 1,
      body: { eventId: event_id, consumer },
    })),
  );
  const ctx = createExecutionContext();
  await worker.queue?.(batch, env, ctx);
  return {
    consumers: pending.map(({ consumer }) => consumer).sort(),
    result: await getQueueResult(batch, ctx),
  };
}

async function statesOf(subject: string) {
  const rows = await rowsOf<{ consumer: string; state: string }>(
    `select consumer, state from event_deliveries join outbox_events on outbox_events.id = event_id
     where subject = ? order by consumer`,
    subject,
  );
  return Object.fromEntries(rows.map(({ consumer, state }) => [consumer, state]));
}

test("an order is confirmed by mail, and its shipping is told by another", async () => {
  const [admin, owner] = [await createAdmin(), await createAccount()];
  const { order } = await placeOrder(admin, owner);
  for (const status of ["paid", "shipped"])
    await admin.call(`/api/orders/${order.id}`, { method: "PATCH", json: { status } });
  const { result } = await deliver(order.id, ["order-confirmation-mail", "order-shipping-mail"]);
  expect(result.explicitAcks).toHaveLength(2);
  expect(await statesOf(order.id)).toEqual({
    "order-confirmation-mail": "done",
    "order-shipping-mail": "done",
  });
});

test("after a user's deletion their orders have no person, at once and for orders that slipped in after it", async () => {
  const [admin, owner] = [await createAdmin(), await createAccount()];
  const { order } = await placeOrder(admin, owner);
  await admin.call(`/api/users/${owner.id}`, { method: "DELETE" });
  await deliver(owner.id, ["orders-forget-user"]);
  expect((await admin.call(`/api/orders/${order.id}`)).json).toMatchObject({
    userId: null,
    totalMinor: 3_750,
  });
  const history = await admin.call(`/api/orders/${order.id}/history`);
  expect(history.json.data).toMatchObject([{ status: "pending", actor: "user:deleted" }]);

  await env.DB.prepare("update orders set user_id = ?").bind(owner.id).run();
  const late = await rowsOf<{ wait: number }>(
    `select not_before - committed_at as wait from event_deliveries join outbox_events on outbox_events.id = event_id
     where consumer = 'orders-forget-user-late'`,
  );
  // Longer than any token outlives its user.
  expect(late[0]?.wait).toBeGreaterThan(60_000);
  await deliver(owner.id, ["orders-forget-user-late"]);
  expect(await countOf("orders", "user_id is not null")).toBe(0);
});

test("the cron cancels what was not paid in time, and sweeps answers that have expired", async () => {
  const [admin, owner] = [await createAdmin(), await createAccount()];
  const { order, productId } = await placeOrder(admin, owner);
  await owner.call(`/api/users/${owner.id}`, {
    method: "PATCH",
    json: { name: "Ada King" },
    headers: { "Idempotency-Key": "k" },
  });
  const tick = async () => {
    const ctx = createExecutionContext();
    await worker.scheduled?.(createScheduledController(), env, ctx);
    await waitOnExecutionContext(ctx);
  };
  await tick();
  expect(await stockOf(productId)).toBe(7);
  expect(await countOf("idempotency_records")).toBe(1);
  await env.DB.batch([
    env.DB.prepare("update orders set created_at = created_at - ?").bind(PENDING_TTL_SECONDS * 1000),
    env.DB.prepare("update idempotency_records set expires_at = 1"),
  ]);
  await tick();
  expect(await stockOf(productId)).toBe(10);
  expect((await owner.call(`/api/orders/${order.id}`)).json).toMatchObject({
    status: "cancelled",
    version: 2,
  });
  expect(await countOf("idempotency_records")).toBe(0);
});
