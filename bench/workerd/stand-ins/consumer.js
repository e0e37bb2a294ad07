/**
 * Beside the Worker: hands it the batches that the queues' stand-ins post from the process of the stores, for the call
 * that delivers a batch crosses no process. `POST /<queue>` with the messages as the producer's binding wrote them.
 */
import { Buffer } from "node:buffer";

export default {
  async fetch(request, { WORKER }) {
    const queue = decodeURIComponent(new URL(request.url).pathname.slice(1));
    const messages = await request.json();
    const { outcome } = await WORKER.queue(queue, messages.map(asDelivered), {
      metrics: { backlogCount: 0, backlogBytes: 0 },
    });
    return new Response(null, { status: outcome === "ok" ? 204 : 500 });
  },
};

function asDelivered({ contentType, body }) {
  const message = { id: crypto.randomUUID(), timestamp: new Date(), attempts: 1 };
  const bytes = Buffer.from(body, "base64");
  switch (contentType) {
    case "json":
      return { ...message, body: JSON.parse(bytes.toString()) };
    case "text":
      return { ...message, body: bytes.toString() };
    case "bytes":
      return { ...message, body: bytes };
    default:
      return { ...message, serializedBody: bytes };
  }
}
