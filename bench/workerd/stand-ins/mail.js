/** The `send_email` binding: mails are counted and dropped. */
import { WorkerEntrypoint } from "cloudflare:workers";

const counts = { mails: 0 };

export default class extends WorkerEntrypoint {
  send() {
    counts.mails += 1;
    return { messageId: crypto.randomUUID() };
  }
}

export class Control extends WorkerEntrypoint {
  counts() {
    return counts;
  }
}
