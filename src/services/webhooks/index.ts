/** The webhooks service: endpoints of other teams, and deliveries to them. */
export { webhookEvents } from "./events";
export { type WebhookServices, webhookServices } from "./factory";
export { webhookIdOf } from "./model";
export {
  createWebhookSchema,
  listWebhooksSchema,
  patchWebhookSchema,
  webhookDeliverySchema,
  webhookEventData,
  webhookSchema,
  webhookTestSchema,
  webhookWithSecretSchema,
} from "./schemas";
export type { WebhookService } from "./service";
