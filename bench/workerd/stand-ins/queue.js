/**
 * Queues in memory, speaking the producer binding's protocol: `POST /message` and `POST /batch`. A message is counted
 * and dropped, unless the benchmark counts costs: then batches are delivered to the consumer, whatever their delay, and
 * what it does not acknowledge is not sent again.
 */

import { WorkerEntrypoint } from "cloudflare:workers";
import { Buffer } from "node:buffer";
import { delaysOf } from "./delay.js";

const BATCH_MAX = 10;
const BATCH_TIMEOUT_MS = 200;

const counts = { queueMessages: 0, queueBatches: 0, queueFailures: 0 };
const pending = [];
let isDelivering = false;
let delay;

export default class extends WorkerEntrypoint {
  async fetch(request) {
    delay ??= delaysOf(this.env.DELAYS, this.env.SEED);
    const messages = await messagesOf(request);
    counts.queueMessages += messages.length;
    await delay("queue");
    if (this.env.CONSUMER !== undefined) this.#deliverSoon(messages);
    return Response.json({
      metadata: { metrics: { backlogCount: 0, backlogBytes: 0, oldestMessageTimestamp: 0 } },
    });
  }

  #deliverSoon(messages) {
    pending.push(...messages);
    if (isDelivering) return;
    isDelivering = true;
    this.ctx.waitUntil(this.#deliver());
  }

  async #deliver() {
    try {
      while (pending.length > 0) {
        await scheduler.wait(BATCH_TIMEOUT_MS);
        counts.queueBatches += 1;
        const batch = pending.splice(0, BATCH_MAX);
        const address = `http://consumer/${encodeURIComponent(this.env.QUEUE)}`;
        const answer = await this.env.CONSUMER.fetch(address, {
          method: "POST",
          body: JSON.stringify(batch),
        });
        if (!answer.ok) counts.queueFailures += 1;
      }
    } finally {
      isDelivering = false;
    }
  }
}

/** Their bodies in base64, as a batch has them. */
async function messagesOf(request) {
  if (new URL(request.url).pathname.endsWith("/batch")) {
    return (await request.json()).messages;
  }
  const contentType = request.headers.get("x-msg-fmt") ?? "v8";
  return [{ contentType, body: Buffer.from(await request.arrayBuffer()).toString("base64") }];
}

export class Control extends WorkerEntrypoint {
  counts() {
    return counts;
  }

  /** How many wait for the consumer. */
  backlog() {
    return pending.length + (isDelivering ? 1 : 0);
  }
}
