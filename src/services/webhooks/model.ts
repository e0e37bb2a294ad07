/** A webhook endpoint and its delivery log, as an administrator sees them. */

export interface Webhook {
  readonly id: string;
  readonly url: string;
  /** Event types; `*` is all. */
  readonly types: readonly string[];
  readonly isEnabled: boolean;
  readonly createdAt: string;
}

/** Shown once, on creation and rotation. */
export interface WebhookWithSecret extends Webhook {
  /** `whsec_` and 32 bytes in base64. */
  readonly secret: string;
}

/** One attempt to deliver one event. */
export interface WebhookDelivery {
  readonly id: string;
  readonly eventId: string;
  readonly type: string;
  /** From 1. */
  readonly attempt: number;
  readonly outcome: "delivered" | "failed";
  /** Null when no answer came. */
  readonly statusCode: number | null;
  /** Null when it was delivered. */
  readonly error: string | null;
  readonly durationMs: number;
  readonly at: string;
}

/** What a delivery needs of the endpoint. Secrets are encrypted. */
export interface Endpoint extends Webhook {
  readonly secret: string;
  readonly previousSecret: string | null;
  readonly previousExpiresAt: number | null;
  readonly failingSince: number | null;
}

/** Under which the outbox knows an endpoint. Stored with each delivery: never change it. */
export function consumerNameOf(webhookId: string): string {
  return `webhook:${webhookId}`;
}

/** The endpoint's id, or null when the consumer is not a webhook. */
export function webhookIdOf(consumer: string): string | null {
  return consumer.startsWith("webhook:") ? consumer.slice("webhook:".length) : null;
}
