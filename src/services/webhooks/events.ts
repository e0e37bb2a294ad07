/** Events of the webhooks service. */
import { onFirstCall } from "../../kernel/on-first-call";
import * as z from "../../kernel/schema";

export const WEBHOOKS_SOURCE = "/meridian/webhooks";

/** Versions of `data`. */
export const webhookEvents = { "webhook.test": { version: 1 } } as const;

/** Schemas of `data`. */
export const webhookEventData = {
  "webhook.test": onFirstCall(() => z.strictObject({ webhookId: z.uuid() })),
} as const;
