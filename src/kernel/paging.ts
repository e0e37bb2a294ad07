/** Query parameters that lists share: how many, where to go on, and times to filter by. */
import * as z from "zod";

const wholeNumber = z
  .string()
  .regex(/^[0-9]{1,9}$/, "Must be a whole number.")
  .transform(Number);

/** A query is text; to its reader this is a number. */
const AS_NUMBER = { type: "integer", minimum: 1, maximum: 100, default: 20, pattern: undefined } as const;

/** 1 to 100, 20 unless given. */
export const limitSchema = wholeNumber
  .pipe(z.int().min(1, "Must be at least 1.").max(100, "Must be at most 100."))
  .meta(AS_NUMBER)
  .default(20);

/** A sealed position; whether it was given out for this list is the service's to tell. */
export const cursorSchema = z.string().min(1).max(2_000).optional();

/** `limit` and `cursor` of a list. */
export const pageSchema = z.strictObject({ limit: limitSchema, cursor: cursorSchema });

/** An RFC 3339 time as milliseconds since the epoch. */
export const instantSchema = z.iso
  .datetime({ offset: true, error: "Must be an RFC 3339 time." })
  .transform((value) => Date.parse(value));
