/**
 * Queues of other teams. An export is a consumer like any other in the ledger, but its message carries the whole
 * envelope, and it is done when the queue has accepted it.
 */
import { and } from "drizzle-orm";
import { eventDeliveries, outboxEvents } from "../../../drizzle/schema/outbox";
import { AppError } from "../../kernel/errors";
import type { CloudEvent } from "../../kernel/event";
import { utf8 } from "../encoding";
import { type EventRow, toEnvelope } from "./envelope";
import { recordFailure } from "./failures";
import { type DeliveryKey, IS_PENDING, isOneOf, markAccepted } from "./ledger";
import type { OutboxOptions } from "./options";

/** Source: developers.cloudflare.com/queues/platform/limits, less room for what the queue adds. */
const MESSAGE_BYTES_MAX = 127_000;
const CALL_BYTES_MAX = 250_000;
const CALL_MESSAGES_MAX = 100;
const BACKOFF_MAX_SECONDS = 3600;

interface Outgoing extends DeliveryKey {
  readonly attempts: number;
  readonly envelope: CloudEvent;
  readonly bytes: number;
}

/** Sends each delivery to its own queue. A queue that refuses costs its deliveries an attempt, and no other's. */
export async function sendExports(options: OutboxOptions, deliveries: readonly DeliveryKey[]): Promise<void> {
  const rows = await load(options, deliveries);
  for (const [consumer, queue] of options.exports) {
    const own = rows.filter((row) => row.consumer === consumer);
    for (const row of own.filter((each) => each.bytes > MESSAGE_BYTES_MAX)) {
      await fail(options, [row], new AppError("internal", "event is larger than a queue message"));
    }
    for (const call of pack(own.filter((each) => each.bytes <= MESSAGE_BYTES_MAX))) {
      await sendCall(options, queue, call);
    }
  }
}

async function sendCall(options: OutboxOptions, queue: Queue, call: readonly Outgoing[]): Promise<void> {
  const { database, scope } = options;
  try {
    scope.calls.queueSends += 1;
    await queue.sendBatch(call.map(({ envelope }) => ({ body: envelope, contentType: "json" as const })));
  } catch (error) {
    return await fail(options, call, error);
  }
  const [first, ...rest] = call.map((row) => markAccepted(database, row, scope.clock()));
  if (first !== undefined) await database.commit([first, ...rest]);
}

async function fail(options: OutboxOptions, rows: readonly Outgoing[], error: unknown): Promise<void> {
  const { database, scope, attemptsMax, backoffSeconds, resendSeconds } = options;
  const policy = { attemptsMax, backoffSeconds, backoffMaxSeconds: BACKOFF_MAX_SECONDS };
  for (const { eventId, consumer, attempts } of rows) {
    await recordFailure(
      { database, scope, policy, resendSeconds },
      { eventId, consumer, attemptsSeen: attempts, isCounted: false, error },
    );
  }
}

/** Calls of at most 100 messages and 256 KB, in order. */
function pack(rows: readonly Outgoing[]): Outgoing[][] {
  const calls: Outgoing[][] = [];
  let bytes = 0;
  for (const row of rows) {
    const last = calls.at(-1);
    if (last === undefined || last.length >= CALL_MESSAGES_MAX || bytes + row.bytes > CALL_BYTES_MAX) {
      calls.push([row]);
      bytes = row.bytes;
    } else {
      last.push(row);
      bytes += row.bytes;
    }
  }
  return calls;
}

async function load(options: OutboxOptions, deliveries: readonly DeliveryKey[]): Promise<Outgoing[]> {
  const { database } = options;
  const eventIds = [...new Set(deliveries.map(({ eventId }) => eventId))];
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
  const envelopes = new Map(events.map((row: EventRow) => [row.id, toEnvelope(row, options.publicUrl)]));
  const attemptsOf = new Map(states.map((row) => [`${row.eventId} ${row.consumer}`, row.attempts]));
  return deliveries.flatMap(({ eventId, consumer }) => {
    const envelope = envelopes.get(eventId);
    const attempts = attemptsOf.get(`${eventId} ${consumer}`);
    if (envelope === undefined || attempts === undefined) return [];
    return [{ eventId, consumer, attempts, envelope, bytes: utf8(JSON.stringify(envelope)).length }];
  });
}
