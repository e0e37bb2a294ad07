/**
 * Which messages of queues a test receives. `reset()` empties stores and leaves queues as they are: what an earlier test sent
 * would be delivered to a later one, whose stores know nothing of it, and a delivery that runs meanwhile would be cut off.
 */
import worker from "../../src/worker";

const gate = {
  /** Messages sent before this time are dropped. */
  openedAtMs: Number.POSITIVE_INFINITY,
  /** Batches that are being handled. */
  running: 0,
};

const { queue } = worker;
Object.assign(worker, {
  queue: (batch: MessageBatch, ...on: [Env, ExecutionContext]) =>
    deliverFresh(batch, (fresh) => queue(fresh, ...on)),
});

/** A delivery that hangs on purpose is left behind. */
const POLLS_MAX = 100;

/** Drops messages from now on, and waits for the batches that are being handled, for a second at most. */
export async function closeQueues(): Promise<void> {
  gate.openedAtMs = Number.POSITIVE_INFINITY;
  for (let polls = 0; polls < POLLS_MAX && gate.running > 0; polls += 1) await scheduler.wait(10);
}

/** Delivers what is sent from now on. */
export function openQueues(): void {
  gate.openedAtMs = Date.now();
}

/** Hands the messages of this test over, and drops the others. */
export async function deliverFresh(
  batch: MessageBatch,
  deliver: (fresh: MessageBatch) => Promise<void>,
): Promise<void> {
  const isFresh = ({ timestamp }: Message) => timestamp.getTime() >= gate.openedAtMs;
  for (const message of batch.messages) if (!isFresh(message)) message.ack();
  const messages = batch.messages.filter(isFresh);
  if (messages.length === 0) return;
  gate.running += 1;
  try {
    await deliver({ ...batch, queue: batch.queue, messages });
  } finally {
    gate.running -= 1;
  }
}
