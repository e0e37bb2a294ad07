/** `/api/webhooks` in the document. */
import { listWebhooksSchema } from "../../../src/services/webhooks";
import type { Operation } from "../operation";

const tag = "Webhooks";
const path = "/api/webhooks";

export const webhookOperations: readonly Operation[] = [
  {
    id: "createWebhook",
    method: "post",
    path,
    tag,
    summary: "Add a webhook",
    description: "Deliveries are signed by Standard Webhooks with the secret, which is shown this once.",
    access: "admin",
    body: { schema: "CreateWebhookInput", example: "createWebhook" },
    answers: [
      {
        status: 201,
        description: "The webhook and its secret.",
        schema: "WebhookWithSecret",
        example: "webhookWithSecret",
        headers: ["Location"],
      },
    ],
    isKeyed: true,
  },
  {
    id: "listWebhooks",
    method: "get",
    path,
    tag,
    summary: "List webhooks",
    access: "admin",
    query: listWebhooksSchema(),
    answers: [
      {
        status: 200,
        description: "A page of webhooks.",
        schema: "Webhook",
        isPage: true,
        example: "webhook",
      },
    ],
  },
  {
    id: "getWebhook",
    method: "get",
    path: `${path}/{id}`,
    tag,
    summary: "Show a webhook",
    access: "admin",
    answers: [{ status: 200, description: "The webhook.", schema: "Webhook", example: "webhook" }],
    errors: ["not_found"],
  },
  {
    id: "patchWebhook",
    method: "patch",
    path: `${path}/{id}`,
    tag,
    summary: "Change a webhook",
    access: "admin",
    body: { schema: "PatchWebhookInput", example: "patchWebhook" },
    answers: [
      { status: 200, description: "The webhook as it is now.", schema: "Webhook", example: "webhook" },
    ],
    isKeyed: true,
  },
  {
    id: "deleteWebhook",
    method: "delete",
    path: `${path}/{id}`,
    tag,
    summary: "Remove a webhook",
    access: "admin",
    answers: [{ status: 204, description: "Nothing more is sent to it." }],
    isKeyed: true,
  },
  {
    id: "rotateWebhookSecret",
    method: "post",
    path: `${path}/{id}/rotate-secret`,
    tag,
    summary: "Give a webhook a new secret",
    description: "The old one signs for 24 hours more.",
    access: "admin",
    answers: [
      {
        status: 200,
        description: "The webhook and its new secret.",
        schema: "WebhookWithSecret",
        example: "webhookWithSecret",
      },
    ],
    isKeyed: true,
  },
  {
    id: "testWebhook",
    method: "post",
    path: `${path}/{id}/test`,
    tag,
    summary: "Send a test event to a webhook",
    access: "admin",
    answers: [
      { status: 202, description: "It is on its way.", schema: "WebhookTest", example: "webhookTest" },
    ],
    errors: ["invalid_transition"],
    isKeyed: true,
  },
  {
    id: "listWebhookDeliveries",
    method: "get",
    path: `${path}/{id}/deliveries`,
    tag,
    summary: "List attempts to deliver",
    access: "admin",
    query: listWebhooksSchema(),
    answers: [
      {
        status: 200,
        description: "A page of attempts, newest first.",
        schema: "WebhookDelivery",
        isPage: true,
        example: "webhookDelivery",
      },
    ],
  },
];
