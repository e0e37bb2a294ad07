/** The queue handler: which dispatcher method takes which queue. */
import type { Dispatcher } from "../platform/outbox";

/** What the queues themselves gave up arrives here, whatever the stage is called: see wrangler.toml. */
export const DEAD_LETTER_QUEUE = /-events-dead$/;

export async function consume(
  batch: MessageBatch<unknown>,
  dispatcher: Pick<Dispatcher, "dispatch" | "takeBack">,
): Promise<void> {
  return DEAD_LETTER_QUEUE.test(batch.queue)
    ? await dispatcher.takeBack(batch)
    : await dispatcher.dispatch(batch);
}
