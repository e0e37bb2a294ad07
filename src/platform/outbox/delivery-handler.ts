/** What a delivery's message leads to: the consumer's effect, and the record of what came of it. */
import { AppError } from "../../kernel/errors";
import type { Database } from "../database";
import { withDeadline } from "../deadline";
import type { Scope } from "../scope";
import { commonPolicy } from "./backoff";
import type { Consumer, ExternalConsumer, TransactionalConsumer } from "./consumer";
import { QUEUE_DELAY_MAX_SECONDS, recordFailure } from "./failures";
import { claim, type DeliveryKey, isSettledAlready, markDone, type SentDelivery, settle } from "./ledger";
import type { PendingDelivery } from "./pending-deliveries";

/** An external action is given up after this. */
const ACT_DEADLINE_MS = 20_000;
/** And its row is free for another attempt after this: longer, so that two never act at once. */
const LEASE_MS = 30_000;

export interface HandlerOptions {
  readonly database: Database;
  readonly scope: Scope;
  /** Undefined for a consumer that this version of the Worker does not know. */
  readonly consumerOf: (name: string) => Consumer | undefined;
  readonly attemptsMax: number;
  readonly backoffSeconds: number;
  readonly resendSeconds: number;
}

/** A pending delivery that a message has come for. */
export interface Arrival extends PendingDelivery, SentDelivery {}

/** What became of a message. */
export interface Handled {
  /**
   * `skipped`: settled already, or another holds it. `unrecorded`: it has acted, or may have, and D1 did not take the
   * record; `unavailable`: nothing was tried, for D1 did not answer.
   */
  readonly outcome: "done" | "retry" | "dead" | "skipped" | "unrecorded" | "unavailable";
  /** What to tell the queue: null acknowledges, a number asks for the message again after so many seconds. */
  readonly again: number | null;
}

const DONE: Handled = { outcome: "done", again: null };
export const SKIPPED: Handled = { outcome: "skipped", again: null };

export class DeliveryHandler {
  readonly #options: HandlerOptions;

  constructor(options: HandlerOptions) {
    this.#options = options;
  }

  /**
   * The consumer's effect, once, or an attempt that failed. **Errors**: none. **Cost**: 1 round trip (transactional,
   * repeatable) or 2 (external), and what the consumer itself takes.
   */
  async handle(delivery: Arrival): Promise<Handled> {
    const consumer = this.#options.consumerOf(delivery.consumer);
    switch (consumer?.kind) {
      case "transactional":
        return await this.#transact(delivery, consumer);
      case "external":
        return consumer.isRepeatable
          ? await this.#repeat(delivery, consumer)
          : await this.#act(delivery, consumer);
      case undefined:
        return await this.#fail(delivery, undefined, new AppError("unavailable", "no such consumer"));
    }
  }

  /** An attempt that the queue gave up on: counted as failed. **Errors**: none. **Cost**: 1 round trip. */
  async giveUp(delivery: Arrival): Promise<void> {
    const error = new AppError("unavailable", "the queue gave the message up");
    await this.#fail(delivery, this.#options.consumerOf(delivery.consumer), error);
  }

  async #transact(delivery: Arrival, consumer: TransactionalConsumer): Promise<Handled> {
    const { database, scope } = this.#options;
    try {
      const effect = await consumer.prepare(delivery.event);
      await database.commit([settle(database, delivery, scope.clock()), ...effect.statements]);
      effect.afterCommit?.();
      return DONE;
    } catch (error) {
      if (isSettledAlready(error)) return SKIPPED;
      return await this.#fail(delivery, consumer, error);
    }
  }

  /** Acts without a claim, for duplicates at once do no harm. An attempt counts when it has come to an end. */
  async #repeat(delivery: Arrival, consumer: ExternalConsumer): Promise<Handled> {
    const { database, scope } = this.#options;
    const attempt = delivery.attempts + 1;
    try {
      await withinDeadline((signal) =>
        consumer.act(delivery.event, { consumer: delivery.consumer, attempt, signal }),
      );
    } catch (error) {
      return await this.#fail(delivery, consumer, error);
    }
    try {
      await database.commit([settle(database, delivery, scope.clock())]);
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
      const {
        rows: [[claimed]],
      } = await database.commit([claim(database, delivery, { token, now, until: now + LEASE_MS })]);
      // Settled, or another holds it. Should that one die, the sweep finds the row when the claim has lapsed.
      if (claimed === undefined) return SKIPPED;
      attempt = claimed.attempts;
    } catch (error) {
      this.#log("warn", "dispatch.claim_failed", { ...fieldsOf(delivery), error });
      return { outcome: "unavailable", again: this.#options.backoffSeconds };
    }
    const held = { ...delivery, attempts: attempt };
    if (attempt > (consumer.retry ?? commonPolicy(this.#options)).attemptsMax) {
      const error = new AppError("unavailable", "no attempt came to an end");
      return await this.#fail(held, consumer, error, { isCounted: true });
    }
    try {
      await withinDeadline((signal) =>
        consumer.act(delivery.event, { consumer: delivery.consumer, attempt, signal }),
      );
    } catch (error) {
      return await this.#fail(held, consumer, error, { isCounted: true });
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
    this.#log("error", "dispatch.unrecorded", { ...fieldsOf(delivery), error });
    return { outcome: "unrecorded", again: null };
  }

  /** @param options.isCounted a claim has counted the attempt already */
  async #fail(
    delivery: Arrival,
    consumer: Consumer | undefined,
    error: unknown,
    { isCounted } = { isCounted: false },
  ): Promise<Handled> {
    const { database, scope, resendSeconds } = this.#options;
    const policy = consumer?.retry ?? commonPolicy(this.#options);
    const { eventId, consumer: name, attempts, sentAt } = delivery;
    try {
      const verdict = await recordFailure(
        { database, scope, policy, resendSeconds },
        { eventIds: [eventId], consumer: name, attemptsSeen: attempts, isCounted, sentAt, error },
      );
      if (verdict.state === "dead") return { outcome: "dead", again: null };
      const isSweeps = verdict.delaySeconds > QUEUE_DELAY_MAX_SECONDS;
      return { outcome: "retry", again: isSweeps ? null : verdict.delaySeconds };
    } catch (failure) {
      this.#log("error", "dispatch.uncounted", { ...fieldsOf(delivery), error: failure });
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
  await withDeadline(act(controller.signal), ACT_DEADLINE_MS, () => {
    controller.abort();
    return new AppError("unavailable", "the consumer did not finish in time");
  });
}
