/** The one table of who gets which event. */
import type { Consumer } from "../platform/outbox";
import { webhookIdOf } from "../services/webhooks";

interface Registration {
  readonly types: readonly string[];
  /** How long the event rests before it is first handed over. */
  readonly delaySeconds: number;
}

/** Names are stored with each delivery: never rename one that has been deployed. */
export const REGISTRATIONS = {
  "welcome-mail": { types: ["user.created"], delaySeconds: 0 },
  analytics: { types: ["user.created"], delaySeconds: 0 },
  // KV shows a write elsewhere only after a while, so a slow reader may put an old value back until then.
  "cache-refresh": { types: ["user.updated", "user.deleted"], delaySeconds: 30 },
  "password-reset-mail": { types: ["password.reset_requested"], delaySeconds: 0 },
  "verification-mail": { types: ["email.verification_requested"], delaySeconds: 0 },
  "email-change-mail": { types: ["email.change_requested"], delaySeconds: 0 },
  "security-notice": {
    types: ["email.change_requested", "password.changed", "session.reuse_detected"],
    delaySeconds: 0,
  },
  "account-erasure": { types: ["user.deleted"], delaySeconds: 0 },
  "revocation-repeat": {
    types: [
      "user.deleted",
      "user.role_changed",
      "session.ended",
      "session.reuse_detected",
      "password.changed",
    ],
    delaySeconds: 0,
  },
  "order-confirmation-mail": { types: ["order.placed"], delaySeconds: 0 },
  "order-shipping-mail": { types: ["order.shipped"], delaySeconds: 0 },
  "orders-forget-user": { types: ["user.deleted"], delaySeconds: 0 },
  // A token is good for up to 60 s after its user's deletion, in an isolate that has not heard of it: an order placed
  // with it must lose its person as well.
  "orders-forget-user-late": { types: ["user.deleted"], delaySeconds: 120 },
} as const satisfies Record<string, Registration>;

export type ConsumerName = keyof typeof REGISTRATIONS;

const ENTRIES: readonly (readonly [string, Registration])[] = Object.entries(REGISTRATIONS);

export function consumersOf(type: string): readonly string[] {
  return ENTRIES.filter(([, { types }]) => types.includes(type)).map(([name]) => name);
}

export function delaySecondsOf(consumer: string): number {
  return isConsumerName(consumer) ? REGISTRATIONS[consumer].delaySeconds : 0;
}

export function isConsumerName(name: string): name is ConsumerName {
  return Object.hasOwn(REGISTRATIONS, name);
}

/** The handlers, built for one batch of messages. `webhook` stands for every endpoint: `webhook:<id>`. */
export type Consumers = Readonly<Record<ConsumerName | "webhook", Consumer>>;

export function consumerOf(consumers: Consumers): (name: string) => Consumer | undefined {
  return (name) => {
    if (isConsumerName(name)) return consumers[name];
    return webhookIdOf(name) === null ? undefined : consumers.webhook;
  };
}
