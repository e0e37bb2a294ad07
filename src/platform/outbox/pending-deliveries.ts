/** What is still to be delivered, with its events: what a message, or an export, is about. */
import { and } from "drizzle-orm";
import { eventDeliveries, outboxEvents } from "../../../drizzle/schema/outbox";
import type { CloudEvent } from "../../kernel/event";
import type { Database } from "../database";
import { isOneOf } from "../is-one-of";
import { type EventRow, toEnvelope } from "./envelope";
import { type DeliveryKey, IS_PENDING } from "./ledger";

/** What a queue is to be sent now. */
export interface DueDelivery extends DeliveryKey {
  readonly notBefore: number;
  /** Its event, where this request has made it. */
  readonly row?: EventRow;
}

/** What `DueDelivery` is read out of. */
export const DUE_COLUMNS = {
  eventId: eventDeliveries.eventId,
  consumer: eventDeliveries.consumer,
  notBefore: eventDeliveries.notBefore,
};

export interface PendingDelivery extends DeliveryKey {
  /** Until now. */
  readonly attempts: number;
  readonly event: CloudEvent;
}

interface Reading {
  readonly database: Database;
  /** `PUBLIC_URL`, for the envelope. */
  readonly publicUrl: string;
}

/** As `readPending`, but D1 is not asked about what this request has made: nobody else has seen it. */
export async function pendingOf(on: Reading, deliveries: readonly DueDelivery[]): Promise<PendingDelivery[]> {
  const made: PendingDelivery[] = [];
  const others: DueDelivery[] = [];
  for (const delivery of deliveries) {
    const { row } = delivery;
    if (row) made.push({ ...delivery, attempts: 0, event: toEnvelope(row, on.publicUrl) });
    else others.push(delivery);
  }
  return others.length === 0 ? made : [...made, ...(await readPending(on, others))];
}

/** The pending ones among them, in their order. **Errors**: `unavailable`. **Cost**: 1 round trip, 2 statements. */
export async function readPending(
  { database, publicUrl }: Reading,
  keys: readonly DeliveryKey[],
): Promise<PendingDelivery[]> {
  const eventIds = [...new Set(keys.map(({ eventId }) => eventId))];
  const {
    rows: [events, states],
  } = await database.read("primary", [
    database.build.select().from(outboxEvents).where(isOneOf(outboxEvents.id, eventIds)),
    database.build
      .select({
        eventId: eventDeliveries.eventId,
        consumer: eventDeliveries.consumer,
        attempts: eventDeliveries.attempts,
      })
      .from(eventDeliveries)
      .where(and(isOneOf(eventDeliveries.eventId, eventIds), IS_PENDING)),
  ]);
  const eventOf = new Map(events.map((row) => [row.id, toEnvelope(row, publicUrl)]));
  const attemptsOf = new Map(states.map((row) => [deliveryKeyOf(row), row.attempts]));
  return keys.flatMap(({ eventId, consumer }) => {
    const event = eventOf.get(eventId);
    const attempts = attemptsOf.get(deliveryKeyOf({ eventId, consumer }));
    return event === undefined || attempts === undefined ? [] : [{ eventId, consumer, attempts, event }];
  });
}

/** One text for both parts. */
export function deliveryKeyOf({ eventId, consumer }: DeliveryKey): string {
  return `${eventId} ${consumer}`;
}
