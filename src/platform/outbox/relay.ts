/** Takes deliveries from D1 to the Queue. */
import { and, asc, eq, isNull, lte, type SQL, sql } from "drizzle-orm";
import { eventDeliveries, outboxEvents } from "../../../drizzle/schema/outbox";
import type { Database, Statement } from "../database";
import { describeError } from "../observability/logger";
import type { DeliveryMessage } from "./consumer";
import { sendExports } from "./exports";
import { type DeliveryKey, IS_PENDING, isOneOf } from "./ledger";
import type { OutboxOptions } from "./options";

/** A queue takes 100 messages a call. Source: developers.cloudflare.com/queues/platform/limits */
const STEP_MAX = 100;
/** 5000 deliveries a tick, with 3 queries a step, and some 5 where exports are among them: under D1's 1000 an invocation. */
const STEPS_MAX = 50;

/** What a sweep did. */
export interface SweepReport {
  readonly sent: number;
  /** False when the queue refused: the rest is left to the next tick. */
  readonly isComplete: boolean;
}

interface DueDelivery extends DeliveryKey {
  readonly notBefore: number;
}

export class Relay {
  readonly #options: OutboxOptions;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /**
   * Sends the pending deliveries of events just committed, in the order of the log.
   * **Errors**: `unavailable`; whatever the queue throws. **Cost**: 2 round trips and 1 send.
   */
  async send(eventIds: readonly string[]): Promise<void> {
    const { database } = this.#options;
    const [rows] = await database.read("primary", [
      selectDue(database, and(isOneOf(eventDeliveries.eventId, eventIds), IS_PENDING)),
    ]);
    if (rows.length === 0) return;
    const taken = await this.#deliver(rows);
    await database.commit([this.#markSent(taken), this.#restUntilResend(eventIds)]);
  }

  /**
   * Claims what is due, in bounded steps, each under a token of its own: pushing `due_at` ahead is the claim, so that
   * two sweeps never take one row, and one that dies leaves its rows to the next after `resendSeconds`.
   */
  async sweep(): Promise<SweepReport> {
    let sent = 0;
    for (let step = 0; step < STEPS_MAX; step += 1) {
      const token = this.#options.scope.newId();
      const rows = await this.#claimDue(token);
      if (rows.length === 0) return { sent, isComplete: true };
      try {
        const taken = await this.#deliver(rows);
        await this.#options.database.commit([this.#markSent(taken)]);
      } catch (error) {
        this.#options.scope.log.log("warn", "outbox.sweep_refused", describeError(error));
        await this.#release(token);
        return { sent, isComplete: false };
      }
      sent += rows.length;
      if (rows.length < STEP_MAX) return { sent, isComplete: true };
    }
    return { sent, isComplete: false };
  }

  async #claimDue(token: string): Promise<DueDelivery[]> {
    const { database, scope, resendSeconds } = this.#options;
    const now = scope.clock();
    const [, rows] = await database.commit([
      database.build
        .update(eventDeliveries)
        .set({ relayToken: token, dueAt: restUntil(now, resendSeconds) })
        .where(
          sql`rowid in (select rowid from ${eventDeliveries} where ${IS_PENDING} and ${lte(eventDeliveries.dueAt, now)} order by ${eventDeliveries.dueAt} limit ${STEP_MAX})`,
        ),
      selectDue(database, and(IS_PENDING, eq(eventDeliveries.relayToken, token))),
    ]);
    return rows;
  }

  /** Back to due, so that the next tick need not wait for the claim to lapse. */
  async #release(token: string): Promise<void> {
    const { database, scope } = this.#options;
    await database.commit([
      database.build
        .update(eventDeliveries)
        .set({ dueAt: scope.clock(), relayToken: null })
        .where(and(IS_PENDING, eq(eventDeliveries.relayToken, token))),
    ]);
  }

  /** Other teams' first, for they get theirs even while our own queue refuses. @returns what a queue has taken */
  async #deliver(rows: readonly DueDelivery[]): Promise<readonly DeliveryKey[]> {
    const { queue, exports, scope } = this.#options;
    const own = rows.filter((row) => !exports.has(row.consumer));
    const outgoing = rows.filter((row) => exports.has(row.consumer));
    const accepted = await sendExports(this.#options, outgoing);
    for (let start = 0; start < own.length; start += STEP_MAX) {
      const messages = own.slice(start, start + STEP_MAX).map((row) => this.#message(row));
      scope.calls.queueSends += 1;
      await queue.sendBatch(messages);
    }
    return [...own, ...accepted];
  }

  #message({ eventId, consumer, notBefore }: DueDelivery): MessageSendRequest<DeliveryMessage> {
    const delaySeconds = Math.max(0, Math.ceil((notBefore - this.#options.scope.clock()) / 1000));
    return { body: { eventId, consumer }, contentType: "json", delaySeconds };
  }

  #markSent(rows: readonly DeliveryKey[]): Statement {
    const { database, scope } = this.#options;
    const eventIds = [...new Set(rows.map((row) => row.eventId))];
    return database.build
      .update(outboxEvents)
      .set({ sentAt: scope.clock() })
      .where(and(isOneOf(outboxEvents.id, eventIds), isNull(outboxEvents.sentAt)));
  }

  /** The time for a resend counts from the send, not from the commit; a retry's later time stands. */
  #restUntilResend(eventIds: readonly string[]): Statement {
    const { database, scope, resendSeconds } = this.#options;
    return database.build
      .update(eventDeliveries)
      .set({ dueAt: sql`max(${eventDeliveries.dueAt}, ${restUntil(scope.clock(), resendSeconds)})` })
      .where(and(isOneOf(eventDeliveries.eventId, eventIds), IS_PENDING));
  }
}

/** A resend's time after it has been, or will be, handed over. */
function restUntil(now: number, resendSeconds: number): SQL {
  return sql`max(${eventDeliveries.notBefore}, ${now}) + ${resendSeconds * 1000}`;
}

function selectDue(database: Database, where: SQL | undefined) {
  return database.build
    .select({
      eventId: eventDeliveries.eventId,
      consumer: eventDeliveries.consumer,
      notBefore: eventDeliveries.notBefore,
    })
    .from(eventDeliveries)
    .innerJoin(outboxEvents, eq(outboxEvents.id, eventDeliveries.eventId))
    .where(where)
    .orderBy(asc(outboxEvents.sequence), asc(eventDeliveries.consumer));
}
