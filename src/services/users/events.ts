/** Events of the users service. Each is written in the batch of its change. */

export const USERS_SOURCE = "/meridian/users";

/** Versions of `data`. */
export const userEvents = {
  "user.created": { version: 1 },
  "user.updated": { version: 1 },
  "email.change_requested": { version: 1 },
  "user.deleted": { version: 1 },
} as const;

export type UserEventType = keyof typeof userEvents;
