/** Query parameters that lists share: how many, where to go on, and times to filter by. */
import { onFirstCall } from "./on-first-call";
import * as z from "./schema";

const wholeNumber = () =>
  z.pipe(z.string().check(z.regex(/^[0-9]{1,9}$/, "Must be a whole number.")), z.transform(Number));

/** A query is text; to its reader this is a number. */
const AS_NUMBER = { type: "integer", minimum: 1, maximum: 100, default: 20, pattern: undefined } as const;

/** 1 to 100, 20 unless given. */
export const limitSchema = onFirstCall(() =>
  z._default(
    z
      .pipe(
        wholeNumber(),
        z.int().check(z.minimum(1, "Must be at least 1."), z.maximum(100, "Must be at most 100.")),
      )
      .check(z.meta(AS_NUMBER)),
    20,
  ),
);

/** A sealed position; whether it was given out for this list is the service's to tell. */
export const cursorSchema = onFirstCall(() =>
  z.optional(z.string().check(z.minLength(1), z.maxLength(2_000))),
);

/** `limit` and `cursor` of a list. */
export const pageSchema = onFirstCall(() => z.strictObject({ limit: limitSchema(), cursor: cursorSchema() }));

/** An RFC 3339 time as milliseconds since the epoch. */
export const instantSchema = onFirstCall(() =>
  z.pipe(
    z.iso.datetime({ offset: true, error: "Must be an RFC 3339 time." }),
    z.transform((value) => Date.parse(value)),
  ),
);
