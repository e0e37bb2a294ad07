/** What a caller may ask of the counts. */
import { onFirstCall } from "../../../kernel/on-first-call";
import * as z from "../../../kernel/schema";

const day = onFirstCall(() => z.iso.date());

/** Both ends included, days in UTC. */
export const signupsQuery = onFirstCall(() =>
  z.strictObject({ from: z.optional(day()), to: z.optional(day()) }),
);

export type SignupsQuery = z.Made<typeof signupsQuery>;
