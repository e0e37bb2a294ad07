/** The door of the webhooks service. */
export type { WebhookDeliverer } from "./deliverer";
export { webhookEvents } from "./events";
export { webhookIdOf } from "./model";
export {
  type CreateWebhookInput,
  createWebhookSchema,
  type ListWebhooksQuery,
  listWebhooksSchema,
  type PatchWebhookInput,
  patchWebhookSchema,
  type Webhook,
  type WebhookDelivery,
  type WebhookWithSecret,
  webhookDeliverySchema,
  webhookEventData,
  webhookSchema,
  webhookTestSchema,
  webhookWithSecretSchema,
} from "./schemas";
export { WebhookService } from "./service";
export type { TargetPolicy } from "./target";

/** Loads what delivers events to endpoints. Requests never need it, so it is not part of the start. */
export const loadDeliverer = () => import("./deliverer");
