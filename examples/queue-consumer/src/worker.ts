/**
 * Receives `user.created`. A queue delivers at least once and in no order, so an event's id is what a consumer
 * remembers to do a thing once.
 */
import type { EventOf } from "../../../contract/events";

type UserCreated = EventOf<"user.created">;

export default {
  async queue(batch: MessageBatch<UserCreated>): Promise<void> {
    for (const message of batch.messages) {
      // One message that fails must not repeat the others: each is acknowledged or retried by itself.
      try {
        greet(message.body);
        message.ack();
      } catch {
        message.retry();
      }
    }
  },
} satisfies ExportedHandler<unknown, UserCreated>;

function greet({ type, id, time, data }: UserCreated): void {
  console.log(JSON.stringify({ received: type, id, time, userId: data.userId }));
}
