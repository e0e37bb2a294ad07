/** What the events service takes and answers. */

import { onFirstCall } from "../../../kernel/on-first-call";
import { count } from "../../../kernel/output-fields";
import { cursorSchema, instantSchema, limitSchema } from "../../../kernel/paging";
import * as z from "../../../kernel/schema";
import { isPlainText, PLAIN_TEXT_PATTERN } from "../../../kernel/text";
import { DEAD_LETTER_STATES } from "../../../platform/outbox";

const eventType = onFirstCall(() => z.string().check(z.minLength(1), z.maxLength(100)));
const consumer = onFirstCall(() => z.string().check(z.minLength(1), z.maxLength(100)));

export const listEventsSchema = onFirstCall(() =>
  z.strictObject({
    /** Sequence of the last event seen. */
    after: z._default(
      z
        .pipe(
          z.string().check(z.regex(/^[0-9]{1,15}$/, "Must be the `sequence` of an event.")),
          z.transform(Number),
        )
        .check(z.meta({ maxLength: 15 })),
      0,
    ),
    type: z.optional(eventType()),
    subject: z.optional(z.string().check(z.minLength(1), z.maxLength(200))),
    limit: limitSchema(),
  }),
);
export type ListEventsQuery = z.Made<typeof listEventsSchema>;

export const listDeadLettersSchema = onFirstCall(() =>
  z.strictObject({
    state: z._default(z.enum(DEAD_LETTER_STATES), "open"),
    type: z.optional(eventType()),
    consumer: z.optional(consumer()),
    from: z.optional(instantSchema()),
    to: z.optional(instantSchema()),
    limit: limitSchema(),
    cursor: cursorSchema(),
  }),
);
export type ListDeadLettersQuery = z.Made<typeof listDeadLettersSchema>;

/** Which open dead letters to replay; without any member, all. */
export const replaySchema = onFirstCall(() =>
  z.strictObject({
    type: z.optional(eventType()),
    consumer: z.optional(consumer()),
    from: z.optional(instantSchema()),
    to: z.optional(instantSchema()),
  }),
);
export type ReplayInput = z.Made<typeof replaySchema>;

export const discardSchema = onFirstCall(() =>
  z.strictObject({
    reason: z
      .string()
      .check(
        z.trim(),
        z.minLength(1),
        z.maxLength(500),
        z.refine(isPlainText, "Must be plain text."),
        z.meta({ pattern: PLAIN_TEXT_PATTERN }),
      ),
  }),
);
export type DiscardInput = z.Made<typeof discardSchema>;

export const replayReportSchema = onFirstCall(() =>
  z.strictObject({
    replayed: count().check(z.describe("How many dead letters this call took.")),
    isComplete: z.boolean().check(z.describe("False when more match: call again.")),
  }),
);
export type ReplayReport = z.Model<typeof replayReportSchema>;
