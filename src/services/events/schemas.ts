/** What a caller may ask of the log, and tell of dead letters. */
import * as z from "zod";
import { cursorSchema, instantSchema, limitSchema } from "../../kernel/paging";
import { isPlainText, PLAIN_TEXT_PATTERN } from "../../kernel/text";
import { DEAD_LETTER_STATES } from "../../platform/outbox";

const eventType = z.string().min(1).max(100);
const consumer = z.string().min(1).max(100);

export const listEventsSchema = z.strictObject({
  /** Sequence of the last event seen. */
  after: z
    .string()
    .regex(/^[0-9]{1,15}$/, "Must be the `sequence` of an event.")
    .transform(Number)
    .meta({ maxLength: 15 })
    .default(0),
  type: eventType.optional(),
  subject: z.string().min(1).max(200).optional(),
  limit: limitSchema,
});
export type ListEventsQuery = z.infer<typeof listEventsSchema>;

export const listDeadLettersSchema = z.strictObject({
  state: z.enum(DEAD_LETTER_STATES).default("open"),
  type: eventType.optional(),
  consumer: consumer.optional(),
  from: instantSchema.optional(),
  to: instantSchema.optional(),
  limit: limitSchema,
  cursor: cursorSchema,
});
export type ListDeadLettersQuery = z.infer<typeof listDeadLettersSchema>;

/** Which open dead letters to replay; without any member, all. */
export const replaySchema = z.strictObject({
  type: eventType.optional(),
  consumer: consumer.optional(),
  from: instantSchema.optional(),
  to: instantSchema.optional(),
});
export type ReplayInput = z.infer<typeof replaySchema>;

export const discardSchema = z.strictObject({
  reason: z
    .string()
    .trim()
    .min(1)
    .max(500)
    .refine(isPlainText, "Must be plain text.")
    .meta({ pattern: PLAIN_TEXT_PATTERN }),
});
export type DiscardInput = z.infer<typeof discardSchema>;
