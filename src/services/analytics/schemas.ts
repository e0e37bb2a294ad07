/** What a caller may ask of the counts. */
import * as z from "zod";

const day = z.iso.date();

/** Both ends included, days in UTC. */
export const signupsQuery = z.strictObject({ from: day.optional(), to: day.optional() });

export type SignupsQuery = z.infer<typeof signupsQuery>;
