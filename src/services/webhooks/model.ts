/** A webhook endpoint and its delivery log, as an administrator sees them. */
import type { Webhook } from "./schemas";

/** What a delivery needs of the endpoint. Secrets are encrypted. */
export interface Endpoint extends Webhook {
  readonly secret: string;
  readonly previousSecret: string | null;
  readonly previousExpiresAt: number | null;
  readonly failingSince: number | null;
  readonly lastChangeId: string;
}

/** Under which the outbox knows an endpoint. Stored with each delivery: never change it. */
export function consumerNameOf(webhookId: string): string {
  return `webhook:${webhookId}`;
}

/** The endpoint's id, or null when the consumer is not a webhook. */
export function webhookIdOf(consumer: string): string | null {
  return consumer.startsWith("webhook:") ? consumer.slice("webhook:".length) : null;
}
