/** What keeps tests with queues apart: without it one test's messages fail another, now and then. */
import { expect, test } from "vitest";
import { closeQueues, deliverFresh, openQueues } from "../support/queue-gate";

/** A batch of one message, sent at that time. */
function batchOf(sentAtMs: number) {
  const dropped: string[] = [];
  const message = { id: "1", timestamp: new Date(sentAtMs), ack: () => void dropped.push("1") };
  return { batch: { queue: "events", messages: [message] } as unknown as MessageBatch, dropped };
}

async function deliveredOf(batch: MessageBatch): Promise<number> {
  let delivered = 0;
  await deliverFresh(batch, async ({ messages }) => {
    delivered += messages.length;
  });
  return delivered;
}

test("a message from before the test is acknowledged and not delivered; one of the test is delivered", async () => {
  await closeQueues();
  const late = batchOf(Date.now());
  expect([await deliveredOf(late.batch), late.dropped]).toEqual([0, ["1"]]);

  openQueues();
  const earlier = batchOf(Date.now() - 1);
  expect([await deliveredOf(earlier.batch), earlier.dropped]).toEqual([0, ["1"]]);
  const fresh = batchOf(Date.now());
  expect([await deliveredOf(fresh.batch), fresh.dropped]).toEqual([1, []]);
});

test("stores are not emptied while a batch is handled, nor after one that failed", async () => {
  openQueues();
  const { promise, resolve } = Promise.withResolvers<void>();
  const ended: string[] = [];
  const delivery = deliverFresh(batchOf(Date.now()).batch, async () => {
    await promise;
    ended.push("batch");
  });
  const closing = closeQueues().then(() => void ended.push("closed"));
  await scheduler.wait(50);
  expect(ended).toEqual([]);
  resolve();
  await Promise.all([delivery, closing]);
  expect(ended).toEqual(["batch", "closed"]);

  openQueues();
  const failing = deliverFresh(batchOf(Date.now()).batch, () => Promise.reject(new Error("planted")));
  await expect(failing).rejects.toThrow("planted");
  const startedAt = Date.now();
  await closeQueues();
  expect(Date.now() - startedAt).toBeLessThan(500);
});
