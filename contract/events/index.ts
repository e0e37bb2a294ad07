/** What every event type means, and what its `data` is: for documents, tests and the types of consumers. */
import type { EventType } from "../../src/jobs/event-catalogue";
import type { CloudEvent } from "../../src/kernel/event";
import type * as z from "../../src/kernel/schema";
import { authEventData } from "../../src/services/auth";
import { orderEventData } from "../../src/services/orders";
import { userEventData } from "../../src/services/users";
import { webhookEventData } from "../../src/services/webhooks";

export const EVENT_DATA = {
  ...userEventData,
  ...authEventData,
  ...orderEventData,
  ...webhookEventData,
} as const satisfies Record<EventType, () => z.ZodMiniType>;

/** One sentence each, for a reader. */
export const EVENT_SUMMARIES: Readonly<Record<EventType, string>> = {
  "user.created": "A user signed up.",
  "user.updated": "A user, its profile, address or role changed.",
  "email.change_requested": "A user asked to change to the address in `email`, which must be proven first.",
  "user.role_changed": "A user has another role. Tokens of the old role are void.",
  "user.deleted": "A user was deleted.",
  "session.ended": "Its owner ended one or more sessions.",
  "session.reuse_detected": "A refresh token that had been exchanged came back: its session was ended.",
  "password.reset_requested": "A reset of an account's password was requested.",
  "password.changed": "A password was changed by its owner, or reset by the holder of the mailbox.",
  "email.verification_requested": "A user asked for another mail to prove the address.",
  "order.placed": "An order was placed; its stock is taken.",
  "order.paid": "An order was paid.",
  "order.shipped": "An order left the house.",
  "order.delivered": "An order arrived.",
  "order.cancelled": "An order was cancelled or expired; its stock is back.",
  "order.refunded": "An order's money was given back.",
  "webhook.test": "An administrator asked for a test delivery. It goes to that endpoint alone.",
};

/** The event of a type, as a consumer receives it. */
export type EventOf<Type extends EventType> = CloudEvent<z.Model<(typeof EVENT_DATA)[Type]>> & {
  readonly type: Type;
};
