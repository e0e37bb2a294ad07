/** What is still to be delivered, with its events: what a message, or an export, is about. */
import { and } from "drizzle-orm";
import { eventDeliveries, outboxEvents } from "../../../drizzle/schema/outbox";
import type { CloudEvent } from "../../kernel/event";
import type { Database } from "../database";
import { toEnvelope } from "./envelope";
import { type DeliveryKey, IS_PENDING, isOneOf } from "./ledger";

export interface PendingDelivery extends DeliveryKey {
  /** Until now. */
  readonly attempts: number;
  readonly event: CloudEvent;
}

/** The pending ones among them, in their order. **Errors**: `unavailable`. **Cost**: 1 round trip, 2 statements. */
export async function readPending(
  { database, publicUrl }: { readonly database: Database; readonly publicUrl: string },
  keys: readonly DeliveryKey[],
): Promise<PendingDelivery[]> {
  const eventIds = [...new Set(keys.map(({ eventId }) => eventId))];
  const [events, states] = await database.read("primary", [
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
