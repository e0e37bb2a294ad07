/** Events of the auth service. None holds a token: what a mail carries is derived again from the event's id. */
import type { Guard, Statement } from "../../platform/database";
import type { Outbox } from "../../platform/outbox";

const AUTH_SOURCE = "/meridian/auth";

/** Versions of `data`. */
export const authEvents = {
  "session.ended": { version: 1 },
  "session.reuse_detected": { version: 1 },
  "password.reset_requested": { version: 1 },
  "password.changed": { version: 1 },
  "email.verification_requested": { version: 1 },
} as const;

export type AuthEventType = keyof typeof authEvents;

/** An event of an account as statements, for the batch of its change. */
export function recordAuthEvent(
  outbox: Outbox,
  event: {
    readonly type: AuthEventType;
    readonly id: string;
    readonly userId: string;
    readonly data: object;
    readonly guard?: Guard;
  },
): Statement[] {
  const { userId, ...rest } = event;
  return outbox.record({
    ...rest,
    source: AUTH_SOURCE,
    subject: userId,
    version: authEvents[event.type].version,
  });
}
