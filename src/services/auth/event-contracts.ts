/** The shape of `data` in each event of the auth service, for documents, types and tests. The running Worker never loads it. */
import * as z from "../../kernel/schema";

const account = z.strictObject({ userId: z.uuid() });

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
