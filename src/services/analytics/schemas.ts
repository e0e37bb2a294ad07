/** What a caller may ask of the counts. */
import * as z from "../../kernel/schema";

const day = z.iso.date();

/** Both ends included, days in UTC. */
export const signupsQuery = z.strictObject({ from: z.optional(day), to: z.optional(day) });

export type SignupsQuery = z.infer<typeof signupsQuery>;
