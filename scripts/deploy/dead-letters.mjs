/**
 * Checks that what the queues give up comes back to the Worker. The Worker knows its dead letters by the end of the
 * queue's name (`src/jobs/queue.ts`), so a queue with another name would be a silent loss.
 */
const ENDING = "-events-dead";

/**
 * @param {Record<string, any>} config
 * **Errors**: one line that names the queue and what to change
 */
export function refuseLostDeadLetters(config) {
  const consumers = config.queues?.consumers ?? [];
  const deadLetterQueues = new Set(consumers.flatMap((it) => it.dead_letter_queue ?? []));
  for (const { queue } of consumers) {
    const isForDeadLetters = deadLetterQueues.has(queue);
    if (!isForDeadLetters && queue.endsWith(ENDING))
      throw new Error(
        `The name of queue ${queue} ends with ${ENDING}, but no consumer gives up to it: rename it`,
      );
  }
  for (const queue of deadLetterQueues) {
    if (!queue.endsWith(ENDING))
      throw new Error(
        `The name of dead-letter queue ${queue} must end with ${ENDING}: the Worker knows its dead letters by that`,
      );
    if (!consumers.some((it) => it.queue === queue))
      throw new Error(
        `Dead-letter queue ${queue} has no consumer: add it to [[queues.consumers]], or its messages expire unseen`,
      );
  }
}
