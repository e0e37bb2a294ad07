/**
 * From a queue's message to a consumer's effect. D1 counts the attempts and says what is done; the message is only a
 * reason to look. Each message is acknowledged or retried by itself.
 */
import { AppError } from "../../kernel/errors";
import type { Database, Statement } from "../database";
import { describeError } from "../observability/logger";
import { continueTrace, traceIdOf } from "../observability/traceparent";
import { inSpan } from "../observability/tracing";
import type { Scope } from "../scope";
import { commonPolicy } from "./backoff";
import {
  type Consumer,
  type DeliveryMessage,
  type ExternalConsumer,
  isDeliveryMessage,
  type TransactionalConsumer,
} from "./consumer";
import { QUEUE_DELAY_MAX_SECONDS, recordFailure } from "./failures";
import { claim, type DeliveryKey, isSettledAlready, markDone, markSent, settle } from "./ledger";
import { deliveryKeyOf, type PendingDelivery, readPending } from "./pending-deliveries";

/** An external action is given up after this. */
const ACT_DEADLINE_MS = 20_000;
/** And its row is free for another attempt after this: longer, so that two never act at once. */
const LEASE_MS = 30_000;

export interface DispatcherOptions {
  readonly database: Database;
  readonly scope: Scope;
  /** Undefined for a consumer that this version of the Worker does not know. */
  readonly consumerOf: (name: string) => Consumer | undefined;
  readonly attemptsMax: number;
  readonly backoffSeconds: number;
  readonly resendSeconds: number;
  /** `PUBLIC_URL`, for the envelope. */
  readonly publicUrl: string;
  /** Told of each message that was handled. Must not throw. */
  readonly onAttempt?: (report: AttemptReport) => void;
}

export interface AttemptReport {
  readonly consumer: string;
  /**
   * `skipped`: settled already, or another holds it. `unrecorded`: it has acted, or may have, and D1 did not take the
   * record; `unavailable`: nothing was tried, for D1 did not answer.
   */
  readonly outcome: "done" | "retry" | "dead" | "skipped" | "unrecorded" | "unavailable";
  /** When deployed the clock moves with I/O. */
  readonly durationMs: number;
}

/** What became of a message. */
interface Handled {
  readonly outcome: AttemptReport["outcome"];
  /** What to tell the queue: null acknowledges, a number asks for the message again after so many seconds. */
  readonly again: number | null;
}

/** A delivery that a message is about. */
interface Arrival extends PendingDelivery {
  /** When the queue took the message. */
  readonly sentAt: number;
}

const DONE: Handled = { outcome: "done", again: null };
const SKIPPED: Handled = { outcome: "skipped", again: null };

export class Dispatcher {
  readonly #options: DispatcherOptions;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /**
   * Handles every message of a batch at once, for they have no order anyway.
   * **Cost**: 1 round trip to read them all, then for each 1 (transactional, repeatable) or 2 (external).
   */
  async dispatch(batch: MessageBatch<unknown>): Promise<void> {
    const messages = this.#ours(batch);
    if (messages.length === 0) return;
    const deliveries = await this.#load(messages.map(({ body }) => body)).catch((error: unknown) => {
      this.#log("error", "dispatch.unavailable", describeError(error));
      return null;
    });
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
    const deliveries = await this.#load(messages.map(({ body }) => body)).catch(() => null);
    for (const message of messages) {
      if (deliveries === null) {
        message.retry({ delaySeconds: this.#options.backoffSeconds });
        continue;
      }
      const delivery = deliveries.get(deliveryKeyOf(message.body));
      const error = new AppError("unavailable", "the queue gave the message up");
      if (delivery !== undefined)
        await this.#fail(delivery, this.#options.consumerOf(delivery.consumer), error, false);
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

  /** The pending ones among them, by key. */
  async #load(bodies: readonly DeliveryMessage[]): Promise<ReadonlyMap<string, PendingDelivery>> {
    const pending = await readPending(this.#options, bodies);
    return new Map(pending.map((delivery) => [deliveryKeyOf(delivery), delivery]));
  }

  /** As `#handle`, with one line in the log and one report. */
  async #handleAndTell(
    { body, timestamp }: Message<DeliveryMessage>,
    deliveries: ReadonlyMap<string, PendingDelivery> | null,
  ): Promise<Handled> {
    const { scope, backoffSeconds, onAttempt } = this.#options;
    const startedAt = scope.clock();
    const pending = deliveries?.get(deliveryKeyOf(body));
    const delivery = pending && { ...pending, sentAt: timestamp.getTime() };
    const unavailable: Handled = { outcome: "unavailable", again: backoffSeconds };
    const handled =
      deliveries === null
        ? unavailable
        : await inSpan("consumer.handle", { consumer: body.consumer, eventId: body.eventId }, () =>
            this.#handle(body, delivery),
          );
    const report = {
      consumer: body.consumer,
      outcome: handled.outcome,
      durationMs: scope.clock() - startedAt,
    };
    onAttempt?.(report);
    scope.log.log("info", "message", {
      ...report,
      eventId: body.eventId,
      type: delivery?.event.type ?? null,
      // The trace of the request that caused the event, so that one search finds both.
      traceId: traceIdOf(continueTrace(delivery?.event.traceparent ?? scope.traceparent)),
      attemptsBefore: delivery?.attempts ?? null,
      retryAfterSeconds: handled.again,
    });
    return handled;
  }

  async #handle(body: DeliveryMessage, delivery: Arrival | undefined): Promise<Handled> {
    if (delivery === undefined) return SKIPPED;
    const consumer = this.#options.consumerOf(body.consumer);
    switch (consumer?.kind) {
      case "transactional":
        return await this.#transact(delivery, consumer);
      case "external":
        return consumer.isRepeatable
          ? await this.#repeat(delivery, consumer)
          : await this.#act(delivery, consumer);
      case undefined:
        return await this.#fail(delivery, undefined, new AppError("unavailable", "no such consumer"), false);
    }
  }

  async #transact(delivery: Arrival, consumer: TransactionalConsumer): Promise<Handled> {
    const { database } = this.#options;
    try {
      const effect = await consumer.prepare(delivery.event);
      await database.commit([...this.#settlement(delivery), ...effect.statements]);
      effect.afterCommit?.();
      return DONE;
    } catch (error) {
      if (isSettledAlready(error)) return SKIPPED;
      return await this.#fail(delivery, consumer, error, false);
    }
  }

  #settlement(delivery: Arrival): [Statement, ...Statement[]] {
    const { database, scope } = this.#options;
    return [settle(database, delivery, scope.clock()), ...this.#sent(delivery)];
  }

  /** The first message that arrives tells when its event was sent: the sender need not write it. */
  #sent({ isSentKnown, eventId, sentAt }: Arrival): readonly Statement[] {
    return isSentKnown ? [] : [markSent(this.#options.database, [eventId], sentAt)];
  }

  /** Acts without a claim, for duplicates at once do no harm. An attempt counts when it has come to an end. */
  async #repeat(delivery: Arrival, consumer: ExternalConsumer): Promise<Handled> {
    const attempt = delivery.attempts + 1;
    try {
      await withinDeadline((signal) =>
        consumer.act(delivery.event, { consumer: delivery.consumer, attempt, signal }),
      );
    } catch (error) {
      return await this.#fail(delivery, consumer, error, false);
    }
    try {
      await this.#options.database.commit(this.#settlement(delivery));
    } catch (error) {
      if (!isSettledAlready(error)) return this.#unrecorded(delivery, error);
    }
    return DONE;
  }

  async #act(delivery: Arrival, consumer: ExternalConsumer): Promise<Handled> {
    const { database, scope } = this.#options;
    const token = scope.newId();
    const now = scope.clock();
    let attempt: number;
    try {
      const [[claimed]] = await database.commit([
        claim(database, delivery, { token, now, until: now + LEASE_MS }),
        ...this.#sent(delivery),
      ]);
      // Settled, or another holds it. Should that one die, the sweep finds the row when the claim has lapsed.
      if (claimed === undefined) return SKIPPED;
      attempt = claimed.attempts;
    } catch (error) {
      this.#log("warn", "dispatch.claim_failed", { ...fieldsOf(delivery), ...describeError(error) });
      return { outcome: "unavailable", again: this.#options.backoffSeconds };
    }
    const held = { ...delivery, attempts: attempt };
    if (attempt > (consumer.retry ?? commonPolicy(this.#options)).attemptsMax) {
      return await this.#fail(held, consumer, new AppError("unavailable", "no attempt came to an end"), true);
    }
    try {
      await withinDeadline((signal) =>
        consumer.act(delivery.event, { consumer: delivery.consumer, attempt, signal }),
      );
    } catch (error) {
      return await this.#fail(held, consumer, error, true);
    }
    return await this.#finish(held, token);
  }

  /** The act has happened: only its record is missing, and a failure to write that must not count as a failed act. */
  async #finish(delivery: PendingDelivery, token: string): Promise<Handled> {
    const { database, scope } = this.#options;
    const record = () => database.commit([markDone(database, delivery, token, scope.clock())]);
    try {
      await record().catch(record);
    } catch (error) {
      return this.#unrecorded(delivery, error);
    }
    return DONE;
  }

  /** Not retried at once, for that would repeat the act: the sweep sends it again, when a claim has lapsed. */
  #unrecorded(delivery: DeliveryKey, error: unknown): Handled {
    this.#log("error", "dispatch.unrecorded", { ...fieldsOf(delivery), ...describeError(error) });
    return { outcome: "unrecorded", again: null };
  }

  async #fail(
    delivery: PendingDelivery | Arrival,
    consumer: Consumer | undefined,
    error: unknown,
    isCounted: boolean,
  ): Promise<Handled> {
    const { database, scope, resendSeconds } = this.#options;
    const policy = consumer?.retry ?? commonPolicy(this.#options);
    const { eventId, consumer: name, attempts } = delivery;
    try {
      const verdict = await recordFailure(
        { database, scope, policy, resendSeconds, beside: "sentAt" in delivery ? this.#sent(delivery) : [] },
        { eventIds: [eventId], consumer: name, attemptsSeen: attempts, isCounted, error },
      );
      if (verdict.state === "dead") return { outcome: "dead", again: null };
      const isSweeps = verdict.delaySeconds > QUEUE_DELAY_MAX_SECONDS;
      return { outcome: "retry", again: isSweeps ? null : verdict.delaySeconds };
    } catch (failure) {
      this.#log("error", "dispatch.uncounted", { ...fieldsOf(delivery), ...describeError(failure) });
      return { outcome: "unrecorded", again: policy.backoffSeconds };
    }
  }

  #log(level: "warn" | "error", event: string, fields: Readonly<Record<string, unknown>>): void {
    this.#options.scope.log.log(level, event, fields);
  }
}

function fieldsOf({ eventId, consumer }: DeliveryKey): Record<string, string> {
  return { eventId, consumer };
}

async function withinDeadline(act: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      controller.abort();
      reject(new AppError("unavailable", "the consumer did not finish in time"));
    }, ACT_DEADLINE_MS);
  });
  try {
    await Promise.race([act(controller.signal), deadline]);
  } finally {
    clearTimeout(timer);
  }
}
