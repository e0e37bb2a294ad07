/**
 * From a queue's message to a consumer's effect. D1 counts the attempts and says what is done; the message is only a
 * reason to look. Each message is acknowledged or retried by itself.
 */
import { continueTrace, traceIdOf } from "../observability/traceparent";
import { inSpan } from "../observability/tracing";
import { type DeliveryMessage, isDeliveryMessage } from "./consumer";
import {
  type Arrival,
  DeliveryHandler,
  type Handled,
  type HandlerOptions,
  SKIPPED,
} from "./delivery-handler";
import { deliveryKeyOf, type PendingDelivery, readPending } from "./pending-deliveries";

export interface DispatcherOptions extends HandlerOptions {
  /** `PUBLIC_URL`, for the envelope. */
  readonly publicUrl: string;
  /** Told of each message that was handled. Must not throw. */
  readonly onAttempt?: (report: AttemptReport) => void;
}

export interface AttemptReport extends Pick<Handled, "outcome"> {
  readonly consumer: string;
  /** When deployed the clock moves with I/O. */
  readonly durationMs: number;
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #handler: DeliveryHandler;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#handler = new DeliveryHandler(options);
  }

  /**
   * Handles every message of a batch at once, for they have no order anyway.
   * **Cost**: 1 round trip to read them all, then for each 1 (transactional, repeatable) or 2 (external).
   */
  async dispatch(batch: MessageBatch<unknown>): Promise<void> {
    const messages = this.#ours(batch);
    if (messages.length === 0) return;
    const deliveries = await this.#load(messages.map(({ body }) => body));
    await Promise.all(
      messages.map(async (message) => {
        const { again } = await this.#handleAndTell(message, deliveries);
        if (again === null) message.ack();
        else message.retry({ delaySeconds: again });
      }),
    );
  }

  /**
   * Messages that the queue gave up on: possible only when attempts could not be counted, for the dispatcher gives up
   * long before. The delivery has failed once more, and is either dead now or due.
   */
  async takeBack(batch: MessageBatch<unknown>): Promise<void> {
    const messages = this.#ours(batch);
    if (messages.length === 0) return;
    const deliveries = await this.#load(messages.map(({ body }) => body));
    for (const message of messages) {
      if (deliveries === null) {
        message.retry({ delaySeconds: this.#options.backoffSeconds });
        continue;
      }
      const delivery = arrivalOf(message, deliveries);
      if (delivery !== null) await this.#handler.giveUp(delivery);
      // Acknowledged in any case: what is still pending, the sweep brings back to the other queue.
      message.ack();
    }
  }

  #ours(batch: MessageBatch<unknown>): Message<DeliveryMessage>[] {
    return batch.messages.filter((message): message is Message<DeliveryMessage> => {
      if (isDeliveryMessage(message.body)) return true;
      this.#log("error", "dispatch.foreign_message", { messageId: message.id });
      message.ack();
      return false;
    });
  }

  /** Returns the pending ones among them, by key; null, once that is logged, when D1 does not answer. */
  async #load(bodies: readonly DeliveryMessage[]): Promise<ReadonlyMap<string, PendingDelivery> | null> {
    try {
      const pending = await readPending(this.#options, bodies);
      return new Map(pending.map((delivery) => [deliveryKeyOf(delivery), delivery]));
    } catch (error) {
      this.#log("error", "dispatch.unavailable", { error });
      return null;
    }
  }

  /** Handles a message, with one line in the log and one report. */
  async #handleAndTell(
    message: Message<DeliveryMessage>,
    deliveries: ReadonlyMap<string, PendingDelivery> | null,
  ): Promise<Handled> {
    const { scope, backoffSeconds, onAttempt } = this.#options;
    const { body } = message;
    const startedAt = scope.clock();
    const delivery = deliveries && arrivalOf(message, deliveries);
    const { outcome, again } =
      deliveries === null
        ? { outcome: "unavailable" as const, again: backoffSeconds }
        : await inSpan("consumer.handle", { consumer: body.consumer, eventId: body.eventId }, async () =>
            delivery === null ? SKIPPED : await this.#handler.handle(delivery),
          );
    const report = { consumer: body.consumer, outcome, durationMs: scope.clock() - startedAt };
    onAttempt?.(report);
    scope.log.log("info", "message", {
      ...report,
      eventId: body.eventId,
      type: delivery?.event.type ?? null,
      // The trace of the request that caused the event, so that one search finds both.
      traceId: traceIdOf(continueTrace(delivery?.event.traceparent ?? scope.traceparent)),
      attemptsBefore: delivery?.attempts ?? null,
      retryAfterSeconds: again,
    });
    return { outcome, again };
  }

  #log(level: "warn" | "error", event: string, fields: Readonly<Record<string, unknown>>): void {
    this.#options.scope.log.log(level, event, fields);
  }
}

/** The delivery that a message is about, if it is pending. */
function arrivalOf(
  { body, timestamp }: Message<DeliveryMessage>,
  deliveries: ReadonlyMap<string, PendingDelivery>,
): Arrival | null {
  const pending = deliveries.get(deliveryKeyOf(body));
  return pending === undefined ? null : { ...pending, sentAt: timestamp.getTime() };
}
