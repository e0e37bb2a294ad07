/** What the analytics service takes and answers. */
import { onFirstCall } from "../../../kernel/on-first-call";
import { count } from "../../../kernel/output-fields";
import * as z from "../../../kernel/schema";

const day = onFirstCall(() => z.iso.date());

/** Both ends included, days in UTC. */
export const signupsQuery = onFirstCall(() =>
  z.strictObject({ from: z.optional(day()), to: z.optional(day()) }),
);

export type SignupsQuery = z.Made<typeof signupsQuery>;

/** Sign-ups on one UTC day. */
export const signupDaySchema = onFirstCall(() =>
  z.strictObject({ date: z.iso.date().check(z.maxLength(10)), count: count() }),
);
export type SignupDay = z.Model<typeof signupDaySchema>;
