/**
 * The outbox: an event is a row of the same batch as the change that it tells of, so that neither exists without the
 * other. D1 is the truth and the Queue a fast road; what the fast road loses, the sweep sends again.
 *
 * ```
 * change + event + deliveries   one D1 batch          record
 *   -> response
 *   -> one message a delivery   Queue                 relaySoon, or after a crash: sweep
 *   -> consumer's effect + done                       Dispatcher
 * ```
 */
import { type SQL, sql } from "drizzle-orm";
import { eventDeliveries, eventSubscriptions, outboxEvents } from "../../../drizzle/schema/outbox";
import type { NewEvent } from "../../kernel/event";
import { type Statement, whenCommitted } from "../database";
import { describeError } from "../observability/logger";
import type { CommittedEvent, OutboxOptions } from "./options";
import { DUE_COLUMNS, type DueDelivery, Relay, type SweepReport } from "./relay";

export interface RecordedEvent extends Omit<NewEvent, "data"> {
  /** UUIDv7; also what the change writes as `last_event_id`. */
  readonly id: string;
  /**
   * An object, or an SQL expression that yields its JSON text out of the rows just written. D1 binds every number as a
   * REAL, which `json_object` shows as `2.0`: bind none, or cast it to an integer.
   */
  readonly data: object | SQL<string>;
  /** The event is recorded only where this holds: something that only this writer wrote. */
  readonly guard?: SQL;
  /** Instead of the registered consumers and subscriptions. */
  readonly consumers?: readonly string[];
}

/** Of this request. */
interface Recorded {
  readonly event: CommittedEvent;
  /** What its batch wrote; null until that is committed, as far as this request has heard. */
  deliveries: readonly DueDelivery[] | null;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #relay: Relay;
  /** By id, in the order of the log as far as one request can tell. */
  readonly #recorded = new Map<string, Recorded>();

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#relay = new Relay(options);
  }

  /**
   * The statements that belong into the change's own batch, after the change: the event, and one pending delivery a
   * consumer. When the guard does not hold, neither writes a row.
   */
  record(event: RecordedEvent): [Statement, Statement] {
    const { database, scope } = this.#options;
    const now = scope.clock();
    const data = isExpression(event.data) ? event.data : sql`${JSON.stringify(event.data)}`;
    const guard = event.guard ?? sql`true`;
    const recorded: Recorded = {
      event: { type: event.type, data: isExpression(event.data) ? {} : event.data },
      deliveries: null,
    };
    this.#recorded.set(event.id, recorded);
    return [
      database.build
        .insert(outboxEvents)
        .select(
          sql`select null, ${event.id}, ${event.type}, ${event.source}, ${event.subject}, ${event.version}, ${data}, ${scope.traceparent}, ${now}, null where ${guard}`,
        ),
      whenCommitted(this.#deliveries(event, now), (rows) => {
        recorded.deliveries = rows;
      }),
    ];
  }

  #deliveries(event: RecordedEvent, now: number) {
    const { database, consumersOf, delaySecondsOf, resendSeconds } = this.#options;
    const consumers = event.consumers ?? consumersOf(event.type);
    const registered = JSON.stringify(
      consumers.map((name) => ({ name, notBefore: now + delaySecondsOf(name) * 1000 })),
    );
    const subscribed =
      event.consumers === undefined
        ? sql`union select consumer, ${now} from ${eventSubscriptions} where type in (${event.type}, '*')`
        : sql``;
    return database.build
      .insert(eventDeliveries)
      .select(
        sql`select e.id, c.consumer, 'pending', 0, null, c.not_before, c.not_before + ${resendSeconds * 1000}, null, null, null, null
        from ${outboxEvents} e join (
          select value ->> 'name' as consumer, value ->> 'notBefore' as not_before from json_each(${registered}) ${subscribed}
        ) c where e.id = ${event.id}`,
      )
      .returning(DUE_COLUMNS);
  }

  /**
   * Their change is committed: sends what these events' consumers wait for, after the response. A failure is left to the
   * sweep. **Cost**: 1 send to each queue; 1 D1 round trip before it for events whose commit this outbox has not seen.
   */
  relaySoon(eventIds: readonly string[]): void {
    if (eventIds.length === 0) return;
    const { scope } = this.#options;
    scope.waitUntil(
      this.#relay.send(this.#take(eventIds)).catch((error: unknown) => {
        scope.log.log("warn", "outbox.relay_failed", { eventIds, ...describeError(error) });
      }),
    );
  }

  /** Announces them. Their deliveries, and the ids of events that D1 must be asked about. */
  #take(eventIds: readonly string[]): { readonly known: readonly DueDelivery[]; readonly unknown: string[] } {
    const unknown = new Set(eventIds);
    const known: DueDelivery[] = [];
    for (const [id, { event, deliveries }] of this.#recorded) {
      if (!eventIds.includes(id)) continue;
      this.#options.onCommitted?.(event);
      this.#recorded.delete(id);
      if (deliveries === null) continue;
      unknown.delete(id);
      known.push(...deliveries);
    }
    return { known, unknown: [...unknown] };
  }

  /** As the cron does each minute, after the response: for deliveries that were just made due. */
  sweepSoon(): void {
    const { scope } = this.#options;
    scope.waitUntil(
      this.#relay.sweep().catch((error: unknown) => {
        scope.log.log("warn", "outbox.sweep_failed", describeError(error));
      }),
    );
  }

  /** Sends again what is unsettled and due. Bounded; run by the cron. */
  async sweep(): Promise<SweepReport> {
    return await this.#relay.sweep();
  }
}

function isExpression(data: object | SQL<string>): data is SQL<string> {
  return "queryChunks" in data;
}
