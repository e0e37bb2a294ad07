/** Events of the users service. Each is written in the batch of its change. */
import type { User } from "./schemas";

const USERS_SOURCE = "/meridian/users";

/** Versions of `data`. */
export const userEvents = {
  "user.created": { version: 1 },
  "user.updated": { version: 1 },
  "email.change_requested": { version: 1 },
  "user.role_changed": { version: 1 },
  "user.deleted": { version: 1 },
} as const;

export type UserEventType = keyof typeof userEvents;

/** An event of a user, as it is after the change. */
export function userEvent(
  type: Exclude<UserEventType, "email.change_requested" | "user.role_changed">,
  { id, email }: User,
) {
  return {
    ...{ type, source: USERS_SOURCE, subject: id, version: userEvents[type].version },
    data: { userId: id, email },
  };
}

/** The event that mails the pending address. */
export function addressRequested(user: Pick<User, "id" | "email">, pendingEmail: string) {
  const type = "email.change_requested";
  return {
    ...{ type, source: USERS_SOURCE, subject: user.id, version: userEvents[type].version },
    data: { userId: user.id, email: pendingEmail, currentEmail: user.email },
  };
}

/** The event that voids the tokens of an older role. `user.updated` is recorded beside it. */
export function roleChanged({ id, role }: Pick<User, "id" | "role">) {
  const type = "user.role_changed";
  return {
    ...{ type, source: USERS_SOURCE, subject: id, version: userEvents[type].version },
    data: { userId: id, role },
  };
}
