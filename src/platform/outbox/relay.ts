/** Takes deliveries from D1 to the Queue. */
import { and, asc, eq, lte, type SQL, sql } from "drizzle-orm";
import { eventDeliveries, outboxEvents } from "../../../drizzle/schema/outbox";
import type { Database } from "../database";
import type { DeliveryMessage } from "./consumer";
import { sendExports } from "./exports";
import { IS_PENDING, isFree, markSent } from "./ledger";
import type { OutboxOptions } from "./options";
import { DUE_COLUMNS, type DueDelivery } from "./pending-deliveries";

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

export class Relay {
  readonly #options: OutboxOptions;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /**
   * Sends the deliveries of events that were just committed. It writes nothing, except where another team's queue takes
   * them: each is due for a resend by the time with which it was committed, and its message says when it was sent.
   * **Errors**: `unavailable`; what a queue throws. **Cost**: 1 send to each queue, side by side.
   */
  async sendCommitted(deliveries: readonly DueDelivery[]): Promise<void> {
    await this.#deliver(deliveries);
  }

  /**
   * Claims what is due and nobody holds, in bounded steps, each under a token of its own: pushing `due_at` ahead is the
   * claim, so that two sweeps never take one row, and one that dies leaves its rows to the next after `resendSeconds`.
   */
  async sweep(): Promise<SweepReport> {
    let sent = 0;
    for (let step = 0; step < STEPS_MAX; step += 1) {
      const token = this.#options.scope.newId();
      const rows = await this.#claimDue(token);
      if (rows.length === 0) return { sent, isComplete: true };
      try {
        await this.#deliver(rows);
        const { database, scope } = this.#options;
        await database.commit([markSent(database, token, scope.clock())]);
      } catch (error) {
        this.#options.scope.log.log("warn", "outbox.sweep_refused", { error });
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
    const {
      rows: [, rows],
    } = await database.commit([
      database.build
        .update(eventDeliveries)
        .set({ relayToken: token, dueAt: restUntil(now, resendSeconds) })
        .where(
          sql`(event_id, consumer) in (select event_id, consumer from ${eventDeliveries} where ${and(IS_PENDING, lte(eventDeliveries.dueAt, now), isFree(now))} order by ${eventDeliveries.dueAt} limit ${STEP_MAX})`,
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

  /**
   * Other teams' first, for they get theirs even while a queue of ours refuses.
   * **Errors**: whatever a queue of ours throws, once the other has had its own.
   */
  async #deliver(rows: readonly DueDelivery[]): Promise<void> {
    const { queueOf, exports } = this.#options;
    const own = rows.filter((row) => !exports.has(row.consumer));
    const outgoing = rows.filter((row) => exports.has(row.consumer));
    await sendExports(this.#options, outgoing);
    const byQueue = Map.groupBy(own, ({ consumer }) => queueOf(consumer));
    const sent = await Promise.allSettled(
      Array.from(byQueue, ([queue, group]) => this.#sendToQueue(queue, group)),
    );
    for (const each of sent) if (each.status === "rejected") throw each.reason;
  }

  async #sendToQueue(queue: Queue<DeliveryMessage>, rows: readonly DueDelivery[]): Promise<void> {
    for (let start = 0; start < rows.length; start += STEP_MAX) {
      this.#options.scope.calls.queueSends += 1;
      await queue.sendBatch(rows.slice(start, start + STEP_MAX).map((row) => this.#message(row)));
    }
  }

  #message({ eventId, consumer, notBefore }: DueDelivery): MessageSendRequest<DeliveryMessage> {
    const delaySeconds = Math.max(0, Math.ceil((notBefore - this.#options.scope.clock()) / 1000));
    return { body: { eventId, consumer }, contentType: "json", delaySeconds };
  }
}

/** A resend's time after it has been, or will be, handed over. */
function restUntil(now: number, resendSeconds: number): SQL {
  return sql`max(${eventDeliveries.notBefore}, ${now}) + ${resendSeconds * 1000}`;
}

function selectDue(database: Database, where: SQL | undefined) {
  return database.build
    .select(DUE_COLUMNS)
    .from(eventDeliveries)
    .innerJoin(outboxEvents, eq(outboxEvents.id, eventDeliveries.eventId))
    .where(where)
    .orderBy(asc(outboxEvents.sequence), asc(eventDeliveries.consumer));
}
