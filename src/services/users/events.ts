/** Events of the users service. Each is written in the batch of its change. */
import * as z from "../../kernel/schema";

export const USERS_SOURCE = "/meridian/users";

const account = z.strictObject({ userId: z.uuid(), email: z.string() });
/** `currentEmail` is the account's until then: who has it is told, however soon `email` is proven. */
const addressChange = z.strictObject({ userId: z.uuid(), email: z.string(), currentEmail: z.string() });

/** Versions of `data`. */
export const userEvents = {
  "user.created": { version: 1 },
  "user.updated": { version: 1 },
  "email.change_requested": { version: 1 },
  "user.deleted": { version: 1 },
} as const;

export type UserEventType = keyof typeof userEvents;

/** What `data` is, for readers: no part of the running Worker. */
export const userEventContracts = {
  "user.created": { data: account, summary: "A user signed up." },
  "user.updated": { data: account, summary: "A user, its profile, address or role changed." },
  "email.change_requested": {
    data: addressChange,
    summary: "A user asked to change to the address in `email`, which must be proven first.",
  },
  "user.deleted": { data: account, summary: "A user was deleted." },
} as const;
