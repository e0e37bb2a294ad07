/**
 * Queues of other teams. An export is a consumer like any other in the ledger, but its message carries the whole
 * envelope, and it is done when the queue has accepted it.
 */
import { AppError } from "../../kernel/errors";
import { utf8 } from "../encoding";
import { commonPolicy } from "./backoff";
import { recordFailure } from "./failures";
import { markAccepted } from "./ledger";
import type { OutboxOptions } from "./options";
import { type DueDelivery, type PendingDelivery, pendingOf } from "./pending-deliveries";

/** Source: developers.cloudflare.com/queues/platform/limits, less room for what the queue adds. */
const MESSAGE_BYTES_MAX = 127_000;
const CALL_BYTES_MAX = 250_000;
const CALL_MESSAGES_MAX = 100;

interface Outgoing extends PendingDelivery {
  readonly bytes: number;
}

/**
 * Sends each delivery to its own queue. A queue that refuses costs its deliveries an attempt, and no other's.
 * **Errors**: `unavailable`. **Cost**: 1 round trip for what other requests have made, and 1 for each call to a queue;
 * one or two statements each, however many deliveries.
 */
export async function sendExports(options: OutboxOptions, deliveries: readonly DueDelivery[]): Promise<void> {
  const rows = (await pendingOf(options, deliveries)).map((delivery) => ({
    ...delivery,
    bytes: utf8(JSON.stringify(delivery.event)).length,
  }));
  for (const [consumer, queue] of options.exports) {
    const own = rows.filter((row) => row.consumer === consumer);
    const tooLarge = own.filter(({ bytes }) => bytes > MESSAGE_BYTES_MAX);
    await fail(options, tooLarge, new AppError("internal", "event is larger than a queue message"));
    for (const call of pack(own.filter(({ bytes }) => bytes <= MESSAGE_BYTES_MAX))) {
      await sendCall(options, { consumer, queue }, call);
    }
  }
}

async function sendCall(
  options: OutboxOptions,
  { consumer, queue }: { readonly consumer: string; readonly queue: Queue },
  call: readonly Outgoing[],
): Promise<void> {
  const { database, scope } = options;
  try {
    scope.calls.queueSends += 1;
    await queue.sendBatch(call.map(({ event }) => ({ body: event, contentType: "json" as const })));
  } catch (error) {
    await fail(options, call, error);
    return;
  }
  const eventIds = call.map(({ eventId }) => eventId);
  await database.commit([markAccepted(database, { consumer, eventIds }, scope.clock())]);
}

/** @param rows of one consumer. Those that have failed as often before are counted together. */
async function fail(options: OutboxOptions, rows: readonly Outgoing[], error: unknown): Promise<void> {
  const { database, scope, resendSeconds } = options;
  for (const [attemptsSeen, group] of Map.groupBy(rows, ({ attempts }) => attempts)) {
    const consumer = group[0]?.consumer ?? "";
    const eventIds = group.map(({ eventId }) => eventId);
    await recordFailure(
      { database, scope, policy: commonPolicy(options), resendSeconds },
      { eventIds, consumer, attemptsSeen, isCounted: false, sentAt: null, error },
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
