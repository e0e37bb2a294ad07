/** What the webhooks service takes and answers. */

import { onFirstCall } from "../../kernel/on-first-call";
import { count, eventType, id, text, time, uri } from "../../kernel/output-fields";
import { pageSchema } from "../../kernel/paging";
import * as z from "../../kernel/schema";

const url = onFirstCall(() => z.string().check(z.minLength(1), z.maxLength(2_000)));
const types = onFirstCall(() =>
  z.array(z.string().check(z.minLength(1), z.maxLength(100))).check(z.minLength(1), z.maxLength(50)),
);

export const createWebhookSchema = onFirstCall(() => z.strictObject({ url: url(), types: types() }));
export type CreateWebhookInput = z.Made<typeof createWebhookSchema>;

export const patchWebhookSchema = onFirstCall(() =>
  z.strictObject({
    url: z.optional(url()),
    types: z.optional(types()),
    isEnabled: z.optional(z.boolean()),
  }),
);
export type PatchWebhookInput = z.Made<typeof patchWebhookSchema>;

export const listWebhooksSchema = pageSchema;
export type ListWebhooksQuery = z.Made<typeof listWebhooksSchema>;

export const webhookSchema = onFirstCall(() =>
  z.strictObject({
    id: id(),
    url: uri(2_048),
    types: z.array(text(100)).check(z.minLength(1), z.maxLength(50), z.describe("Event types; `*` is all.")),
    isEnabled: z.boolean(),
    createdAt: time(),
  }),
);
export type Webhook = z.Model<typeof webhookSchema>;

/** Answered once, on creation and rotation. */
export const webhookWithSecretSchema = onFirstCall(() =>
  z.strictObject({
    ...webhookSchema().shape,
    secret: text(100).check(z.describe("Shown once: `whsec_` and 32 bytes in base64.")),
  }),
);
export type WebhookWithSecret = z.Model<typeof webhookWithSecretSchema>;

/** One attempt to deliver one event. `error` is null when it was delivered. */
export const webhookDeliverySchema = onFirstCall(() =>
  z.strictObject({
    id: id(),
    eventId: id(),
    type: eventType(),
    attempt: z.int().check(z.minimum(1), z.maximum(1_000)),
    outcome: z.enum(["delivered", "failed"]),
    statusCode: z
      .nullable(z.int().check(z.minimum(100), z.maximum(599)))
      .check(z.describe("Null when no answer came.")),
    error: z.nullable(text(2_000)),
    durationMs: count(),
    at: time(),
  }),
);
export type WebhookDelivery = z.Model<typeof webhookDeliverySchema>;

export const webhookTestSchema = onFirstCall(() => z.strictObject({ eventId: id() }));

/** Schemas of the events' `data`. */
export const webhookEventData = {
  "webhook.test": onFirstCall(() => z.strictObject({ webhookId: z.uuid() })),
} as const;
