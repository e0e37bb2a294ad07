import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import worker from "../../src/worker";
import { createAccount } from "../support/accounts";
import { rowsOf } from "../support/outbox";

/** Hands one delivery to the Worker, as the queue would. */
async function deliver(body: { eventId: string; consumer: string }) {
  const message = { id: "message", timestamp: new Date(), attempts: 1, body };
  const batch = createMessageBatch("meridian-events", [message]);
  const ctx = createExecutionContext();
  await worker.queue?.(batch, env, ctx);
  return await getQueueResult(batch, ctx);
}

test("a user's events in the wrong order, each twice, leave what the right order leaves: the last name cached, one sign-up counted", async () => {
  const ada = await createAccount();
  for (const name of ["Ada Byron", "Ada King", "Ada Lovelace"])
    await ada.call(`/api/users/${ada.id}`, { method: "PATCH", json: { name } });
  // What a slow reader put back: older than every change.
  const entry = await vi.waitFor(async () => {
    const last = await env.USER_CACHE.get(`user:${ada.id}`);
    if (last === null || !last.includes("Ada Lovelace")) throw new Error("the last change is not cached yet");
    return last;
  });
  await env.USER_CACHE.put(`user:${ada.id}`, entry.replaceAll("Ada Lovelace", "Ada Byron"));
  const backwards = await rowsOf<{ eventId: string; consumer: string }>(
    `select event_id as eventId, consumer from event_deliveries join outbox_events on outbox_events.id = event_id
     where subject = ? and consumer in ('analytics', 'cache-refresh') order by sequence desc`,
    ada.id,
  );
  expect(backwards.map(({ consumer }) => consumer)).toEqual([...Array(3).fill("cache-refresh"), "analytics"]);
  for (const body of [...backwards, ...backwards])
    expect((await deliver(body)).explicitAcks).toEqual(["message"]);
  const cached = await env.USER_CACHE.get(`user:${ada.id}`);
  expect([cached?.includes("Ada Lovelace"), cached?.includes("Ada Byron")]).toEqual([true, false]);
  expect(await rowsOf("select sum(count) as n from daily_signups")).toEqual([{ n: 1 }]);
  expect(
    await rowsOf(
      "select distinct state, attempts from event_deliveries where consumer in ('analytics', 'cache-refresh')",
    ),
  ).toEqual([{ state: "done", attempts: 1 }]);
});
