/** The queue handler: which dispatcher method takes which queue. */
import type { Dispatcher } from "../../platform/outbox";

/** What the queue itself gave up arrives here: see wrangler.toml. */
const DEAD_LETTER_QUEUE = "meridian-events-dead";

export async function consume(batch: MessageBatch<unknown>, dispatcher: Dispatcher): Promise<void> {
  return batch.queue === DEAD_LETTER_QUEUE
    ? await dispatcher.takeBack(batch)
    : await dispatcher.dispatch(batch);
}
