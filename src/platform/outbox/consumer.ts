/** What a consumer of events is, and what the queue carries for it. */
import type { CloudEvent } from "../../kernel/event";
import type { Statement } from "../database";

/**
 * One message is one (event, consumer), so that a failing mail does not repeat the count. It names the delivery and
 * carries nothing of the event: D1 is the truth, and no event is too large for the queue.
 */
export interface DeliveryMessage {
  readonly eventId: string;
  readonly consumer: string;
}

export function isDeliveryMessage(body: unknown): body is DeliveryMessage {
  if (typeof body !== "object" || body === null) return false;
  const { eventId, consumer } = body as Partial<Record<keyof DeliveryMessage, unknown>>;
  return typeof eventId === "string" && typeof consumer === "string";
}

/** When a failed delivery is tried again and when it is given up. */
export interface RetryPolicy {
  readonly attemptsMax: number;
  /** Delay after the first failure; it doubles with each further one. */
  readonly backoffSeconds: number;
  /** No delay is longer. */
  readonly backoffMaxSeconds: number;
}

/** What a transactional consumer wants done. */
export interface Effect {
  /** Committed in one batch with the mark that the delivery is done: all or nothing, and once. */
  readonly statements: readonly Statement[];
  /** Runs after the commit, and not at all if the Worker dies in between: for what may be lost. Must not throw. */
  readonly afterCommit?: () => void;
}

/** Its effect is in D1 and happens exactly once, whatever is repeated. */
export interface TransactionalConsumer {
  readonly kind: "transactional";
  readonly retry?: RetryPolicy;
  /** May read; must not act. */
  prepare(event: CloudEvent): Effect | Promise<Effect>;
}

/** What an external consumer is told besides the event. The event's id is its idempotency key. */
export interface DeliveryContext {
  /** As registered: `welcome-mail`, `webhook:<id>`. */
  readonly consumer: string;
  /** From 1. */
  readonly attempt: number;
  /** Aborted at the deadline; the attempt has failed then. */
  readonly signal: AbortSignal;
}

/** Its effect is outside D1: at least once, and repeated only if the Worker dies between acting and recording. */
export interface ExternalConsumer {
  readonly kind: "external";
  /**
   * Acting twice, even at the same time, leaves what acting once does. Its row is not claimed first then, which is a
   * round trip less; and an attempt that kills the Worker is counted by nobody but the queue.
   */
  readonly isRepeatable?: boolean;
  readonly retry?: RetryPolicy;
  /**
   * **Errors**: whatever it throws is a failed attempt. An `AppError` of code `internal` says that no repetition will
   * help, and the delivery is dead at once.
   */
  act(event: CloudEvent, delivery: DeliveryContext): Promise<void>;
}

export type Consumer = TransactionalConsumer | ExternalConsumer;
