/** What the outbox shows of events and of dead letters. */
import { cloudEventSchema } from "../../kernel/event";
import { onFirstCall } from "../../kernel/on-first-call";
import { count, eventType, id, text, time } from "../../kernel/output-fields";
import * as z from "../../kernel/schema";

const ledgerEntrySchema = onFirstCall(() =>
  z.strictObject({
    consumer: text(100),
    state: z.enum(["pending", "done", "dead"]),
    attempts: count(),
    lastError: z.nullable(text(2_000)).check(z.describe("Of the last attempt that failed, redacted.")),
    doneAt: z.nullable(time()),
  }),
);

/** The state of one event, consumer by consumer. */
export const eventLedgerSchema = onFirstCall(() =>
  z.strictObject({
    event: cloudEventSchema(),
    committedAt: time(),
    sentAt: z
      .nullable(time())
      .check(z.describe("When a queue first took it, as its first message tells; null until then.")),
    deliveries: z.array(ledgerEntrySchema()).check(z.maxLength(1_000)),
  }),
);
export type EventLedger = z.Model<typeof eventLedgerSchema>;

export const DEAD_LETTER_STATES = ["open", "replayed", "discarded"] as const;
export type DeadLetterState = (typeof DEAD_LETTER_STATES)[number];

export const deadLetterSchema = onFirstCall(() =>
  z.strictObject({
    id: id(),
    eventId: id(),
    type: eventType(),
    consumer: text(100),
    attempts: count(),
    lastError: z.nullable(text(2_000)).check(z.describe("Redacted.")),
    state: z.enum(DEAD_LETTER_STATES),
    createdAt: time(),
  }),
);
export type DeadLetter = z.Model<typeof deadLetterSchema>;
