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
import type { Answer, Database, Statement, Statements } from "../database";
import { ALWAYS, type Guarded, prepared, preparedAround, value } from "../prepared-statement";
import type { EventRow } from "./envelope";
import type { CommittedEvent, OutboxOptions } from "./options";
import { DUE_COLUMNS, type DueDelivery } from "./pending-deliveries";
import { Relay, type SweepReport } from "./relay";

export interface RecordedEvent extends Omit<NewEvent, "data">, Guarded {
  /** UUIDv7; also what the change writes as `last_change_id`. */
  readonly id: string;
  /**
   * An object, or an SQL expression that yields its JSON text out of the rows just written. D1 binds every number as a
   * REAL, which `json_object` shows as `2.0`: bind none, or cast it to an integer. With placeholders it is a constant, as `guard`.
   */
  readonly data: object | SQL<string>;
  /** Instead of the registered consumers and subscriptions. */
  readonly consumers?: readonly string[];
}

/** An event that this request put into a batch. */
interface Recorded {
  readonly event: CommittedEvent;
  readonly row: Omit<EventRow, "sequence" | "data">;
  readonly insert: ReturnType<ReturnType<ReturnType<typeof insertEvent>>>;
  readonly deliveries: ReturnType<typeof insertDeliveries>;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #relay: Relay;
  readonly #recorded: Recorded[] = [];

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
    const { id, type, source, subject, version, data, guard = ALWAYS, values } = event;
    const { traceparent } = scope;
    const now = scope.clock();
    const isBound = !isExpression(data);
    const insert = insertEvent(guard)(isBound ? BOUND_DATA : data)(database, {
      ...values,
      ...{ event: id, type, source, subject, version, now, traceparent },
      data: isBound ? JSON.stringify(data) : null,
    });
    const deliveries = this.#deliveries(event, now);
    const row = { id, type, source, subject, schemaVersion: version, traceparent, committedAt: now };
    this.#recorded.push({ event: { type, data: isBound ? data : {} }, row, insert, deliveries });
    return [insert, deliveries];
  }

  #deliveries(event: RecordedEvent, now: number) {
    const { database, consumersOf, delaySecondsOf, resendSeconds } = this.#options;
    const consumers = event.consumers ?? consumersOf(event.type);
    const registered = JSON.stringify(
      consumers.map((name) => ({ name, notBefore: now + delaySecondsOf(name) * 1000 })),
    );
    const insert = event.consumers === undefined ? insertDeliveries : insertNamedDeliveries;
    return insert(database, {
      ...{ registered, now, event: event.id, type: event.type },
      resendMs: resendSeconds * 1000,
    });
  }

  /**
   * Sends the events that this batch committed to their consumers, after the response. An event whose guard did not hold
   * is not in the log, and is not sent. A failure is left to the sweep. **Cost**: 1 send to each queue.
   *
   * @param answer of the commit that holds the statements of `record`
   */
  relaySoon(answer: Answer<Statements>): void {
    const due = this.#take(answer);
    if (due.length === 0) return;
    const { scope } = this.#options;
    scope.afterResponse(() =>
      this.#relay.sendCommitted(due).catch((error: unknown) => {
        const eventIds = [...new Set(due.map(({ eventId }) => eventId))];
        scope.log.log("warn", "outbox.relay_failed", { eventIds, error });
      }),
    );
  }

  /** Counts the events of the batch that are in the log now, and returns their deliveries. */
  #take(answer: Answer<Statements>): DueDelivery[] {
    return this.#recorded.flatMap(({ event, row, insert, deliveries }) => {
      if (!answer.statements.includes(insert)) return [];
      const [made] = answer.of(insert);
      if (made === undefined) return [];
      this.#options.onCommitted?.(event);
      return answer.of(deliveries).map((delivery) => ({ ...delivery, row: { ...row, ...made } }));
    });
  }

  /** As the cron does each minute, after the response: for deliveries that were just made due. */
  sweepSoon(): void {
    const { scope } = this.#options;
    scope.afterResponse(() =>
      this.#relay.sweep().catch((error: unknown) => {
        scope.log.log("warn", "outbox.sweep_failed", { error });
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

/** `data` that is an object is bound; an expression is part of the statement. */
const BOUND_DATA = sql`${value("data")}`;

/**
 * The event's row, in the order of the table's columns, which `insert ... select` goes by. A batch that is repeated because
 * its answer was lost finds its own row there, and its deliveries.
 */
const insertEvent = preparedAround((guard: SQL) =>
  preparedAround((data: SQL) =>
    prepared((on) =>
      on
        .insert(outboxEvents)
        .select(
          sql`select null, ${value("event")}, ${value("type")}, ${value("source")}, ${value("subject")}, ${value("version")}, ${data}, ${value("traceparent")}, ${value("now")} where ${guard}`,
        )
        .onConflictDoNothing()
        .returning({ sequence: outboxEvents.sequence, data: outboxEvents.data }),
    ),
  ),
);

/** One pending delivery for each consumer that is given, and for each that `subscribed` selects. */
function insertDeliveriesOf(on: Database["build"], subscribed: SQL) {
  return on
    .insert(eventDeliveries)
    .select(
      sql`select e.id, c.consumer, 'pending', 0, null, c.not_before, c.not_before + ${value("resendMs")}, null, null, null, null, null
        from ${outboxEvents} e join (
          select value ->> 'name' as consumer, value ->> 'notBefore' as not_before from json_each(${value("registered")}) ${subscribed}
        ) c where e.id = ${value("event")}`,
    )
    .onConflictDoNothing()
    .returning(DUE_COLUMNS);
}

const insertNamedDeliveries = prepared((on) => insertDeliveriesOf(on, sql``));
const insertDeliveries = prepared((on) =>
  insertDeliveriesOf(
    on,
    sql`union select consumer, ${value("now")} from ${eventSubscriptions} where type in (${value("type")}, '*')`,
  ),
);
