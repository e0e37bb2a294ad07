/** Query parameters that lists share. */
import * as z from "zod";

const wholeNumber = z
  .string()
  .regex(/^[0-9]{1,9}$/, "Must be a whole number.")
  .transform(Number);

/** A query is text; to its reader this is a number. */
const AS_NUMBER = { type: "integer", minimum: 1, maximum: 100, default: 20, pattern: undefined } as const;

/** `limit` (1..100, 20 unless given) and `cursor` of every list. */
export const pageSchema = z.strictObject({
  limit: wholeNumber
    .pipe(z.int().min(1, "Must be at least 1.").max(100, "Must be at most 100."))
    .meta(AS_NUMBER)
    .default(20),
  cursor: z.string().min(1).max(2_000).optional(),
});

/** An RFC 3339 time as milliseconds since the epoch. */
export const instantSchema = z.iso
  .datetime({ offset: true, error: "Must be an RFC 3339 time." })
  .transform((value) => Date.parse(value));
