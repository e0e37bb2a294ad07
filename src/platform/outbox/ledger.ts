/**
 * The statements on deliveries: who may act on a row, and what became of it. Each names the state it expects, so that
 * of any number of concurrent duplicates one wins and the others change nothing.
 */
import { and, eq, isNull, lte, or, type SQL, sql } from "drizzle-orm";
import { deadLetters, eventDeliveries, outboxEvents } from "../../../drizzle/schema/outbox";
import type { NewId } from "../../kernel/ids";
import { isViolationOf } from "../constraint-violation";
import type { Database, Statement } from "../database";
import { isOneOf } from "../is-one-of";

/** The key of a row. */
export interface DeliveryKey {
  readonly eventId: string;
  readonly consumer: string;
}

/** Written out, for a bound parameter would keep SQLite from using the partial index. */
export const IS_PENDING = sql`${eventDeliveries.state} = 'pending'`;

function isDelivery({ eventId, consumer }: DeliveryKey): SQL | undefined {
  return and(eq(eventDeliveries.eventId, eventId), eq(eventDeliveries.consumer, consumer));
}

/** When a queue first took a message of it, unless that is known already: a column of a row that is written anyway. */
function firstSentAt(sentAt: number | null): SQL {
  return sql`coalesce(${eventDeliveries.sentAt}, ${sentAt})`;
}

/** A delivery whose message has come. */
export interface SentDelivery extends DeliveryKey {
  /** When the queue took the message, epoch milliseconds. */
  readonly sentAt: number;
}

/**
 * Marks a delivery done, and *fails the whole batch* when it is not pending any more: that is what makes the effects
 * beside it happen exactly once. An update that matches no row would not abort a D1 batch, so the check constraint on
 * `state` is made to. Recognise the failure by `isSettledAlready`.
 */
export function settle(database: Database, delivery: SentDelivery, now: number): Statement {
  return database.build
    .update(eventDeliveries)
    .set({
      state: sql`case ${eventDeliveries.state} when 'pending' then 'done' else 'settled already' end`,
      attempts: sql`${eventDeliveries.attempts} + 1`,
      sentAt: firstSentAt(delivery.sentAt),
      doneAt: now,
      claimedUntil: null,
    })
    .where(isDelivery(delivery));
}

/** What is still pending of what a sweep has claimed, and a queue has taken. */
export function markSent(database: Database, relayToken: string, sentAt: number): Statement {
  return database.build
    .update(eventDeliveries)
    .set({ sentAt })
    .where(and(IS_PENDING, eq(eventDeliveries.relayToken, relayToken), isNull(eventDeliveries.sentAt)));
}

export function isSettledAlready(error: unknown): boolean {
  return isViolationOf(error, "event_deliveries_state_known");
}

/** Nobody holds the row, or whoever did has not come to an end in time. */
export function isFree(now: number): SQL | undefined {
  return or(isNull(eventDeliveries.claimedUntil), lte(eventDeliveries.claimedUntil, now));
}

/**
 * Takes a pending row that nobody holds. When it is due stays as it was, for that is in an index: the sweep passes by
 * what is held, and should the holder die it finds the row when the claim has lapsed. Counts the attempt before it is
 * made, so that one that kills the Worker counts.
 */
export function claim(
  database: Database,
  delivery: SentDelivery,
  hold: { token: string; now: number; until: number },
) {
  return database.build
    .update(eventDeliveries)
    .set({
      claimToken: hold.token,
      claimedUntil: hold.until,
      attempts: sql`${eventDeliveries.attempts} + 1`,
      sentAt: firstSentAt(delivery.sentAt),
    })
    .where(and(isDelivery(delivery), IS_PENDING, isFree(hold.now)))
    .returning({ attempts: eventDeliveries.attempts });
}

/** The holder's own end. A holder whose claim has lapsed and was taken by another changes nothing. */
export function markDone(database: Database, key: DeliveryKey, token: string, now: number): Statement {
  return database.build
    .update(eventDeliveries)
    .set({ state: "done", doneAt: now, claimedUntil: null })
    .where(and(isDelivery(key), IS_PENDING, eq(eventDeliveries.claimToken, token)));
}

/** Rows of one consumer that share a fate. */
export interface DeliveryGroup {
  readonly consumer: string;
  readonly eventIds: readonly string[];
}

function isOfGroup({ consumer, eventIds }: DeliveryGroup): SQL | undefined {
  return and(isOneOf(eventDeliveries.eventId, eventIds), eq(eventDeliveries.consumer, consumer), IS_PENDING);
}

export interface Failure {
  /** How many attempts the rows showed, the failed one included if a claim counted it. */
  readonly attemptsSeen: number;
  /** What they show from now on. */
  readonly attempts: number;
  /** Redacted. */
  readonly lastError: string;
  /** When the queue took the message that led to it; null when no queue did. */
  readonly sentAt: number | null;
}

/** Still pending. Guarded on the attempts seen, so that duplicates that fail together count as one attempt. */
export function markFailed(
  database: Database,
  group: DeliveryGroup,
  failure: Failure,
  dueAt: number,
): Statement {
  return database.build
    .update(eventDeliveries)
    .set({
      attempts: failure.attempts,
      lastError: failure.lastError,
      sentAt: firstSentAt(failure.sentAt),
      dueAt,
      relayToken: null,
      claimToken: null,
      claimedUntil: null,
    })
    .where(and(isOfGroup(group), eq(eventDeliveries.attempts, failure.attemptsSeen)));
}

/** Given up, with a dead letter each: one for any number of concurrent duplicates. */
export function markDead(
  database: Database,
  group: DeliveryGroup,
  failure: Failure,
  { newId, now }: { readonly newId: NewId; readonly now: number },
): [Statement, Statement] {
  const token = newId();
  const letters = JSON.stringify(group.eventIds.map((eventId) => ({ id: newId(), eventId })));
  return [
    database.build
      .update(eventDeliveries)
      .set({
        state: "dead",
        attempts: failure.attempts,
        lastError: failure.lastError,
        sentAt: firstSentAt(failure.sentAt),
        claimToken: token,
        claimedUntil: null,
      })
      .where(and(isOfGroup(group), eq(eventDeliveries.attempts, failure.attemptsSeen))),
    database.build.insert(deadLetters).select(
      sql`select letter.value ->> 'id', d.event_id, e.type, d.consumer, d.attempts, d.last_error, 'open', ${now}, null, null, null, null
        from json_each(${letters}) letter
        join ${eventDeliveries} d on d.event_id = letter.value ->> 'eventId' and d.consumer = ${group.consumer}
        join ${outboxEvents} e on e.id = d.event_id where d.claim_token = ${token}`,
    ),
  ];
}

/** Deliveries to another team's queue: done when that accepted them. */
export function markAccepted(database: Database, group: DeliveryGroup, now: number): Statement {
  return database.build
    .update(eventDeliveries)
    .set({
      state: "done",
      sentAt: firstSentAt(now),
      doneAt: now,
      attempts: sql`${eventDeliveries.attempts} + 1`,
    })
    .where(isOfGroup(group));
}
