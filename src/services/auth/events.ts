/** Events of the auth service. None holds a token: what a mail carries is derived again from the event's id. */
import * as z from "../../kernel/schema";
import type { Guard, Statement } from "../../platform/database";
import type { Outbox } from "../../platform/outbox";

const AUTH_SOURCE = "/meridian/auth";

const account = z.strictObject({ userId: z.uuid() });

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

/** What `data` is, for readers: no part of the running Worker. */
export const authEventContracts = {
  "session.ended": {
    data: z.strictObject({ userId: z.uuid(), sessionIds: z.array(z.uuid()), reason: z.string() }),
    summary: "Its owner ended one or more sessions.",
  },
  "session.reuse_detected": {
    data: z.strictObject({ userId: z.uuid(), sessionId: z.uuid() }),
    summary: "A refresh token that had been exchanged came back: its session was ended.",
  },
  "password.reset_requested": {
    data: account,
    summary: "Somebody asked to reset the password of an account.",
  },
  "password.changed": {
    data: z.strictObject({ userId: z.uuid(), method: z.enum(["change", "reset"]) }),
    summary: "A password was changed by its owner, or reset by the holder of the mailbox.",
  },
  "email.verification_requested": {
    data: account,
    summary: "A user asked for another mail to prove the address.",
  },
} as const;
