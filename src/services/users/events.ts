/** Events of the users service. Each is written in the batch of its change. */
import { onFirstCall } from "../../kernel/on-first-call";
import * as z from "../../kernel/schema";

export const USERS_SOURCE = "/meridian/users";

/** Versions of `data`. */
export const userEvents = {
  "user.created": { version: 1 },
  "user.updated": { version: 1 },
  "email.change_requested": { version: 1 },
  "user.deleted": { version: 1 },
} as const;

export type UserEventType = keyof typeof userEvents;

const account = onFirstCall(() => z.strictObject({ userId: z.uuid(), email: z.string() }));
/** `currentEmail` is the address until `email` is proven. Its holder is notified at once. */
const addressChange = onFirstCall(() =>
  z.strictObject({ userId: z.uuid(), email: z.string(), currentEmail: z.string() }),
);

/** Schemas of `data`. */
export const userEventData = {
  "user.created": account,
  "user.updated": account,
  "email.change_requested": addressChange,
  "user.deleted": account,
} as const;
