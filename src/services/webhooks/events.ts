/** Events of the webhooks service. */
import * as z from "../../kernel/schema";

export const WEBHOOKS_SOURCE = "/meridian/webhooks";

/** Versions of `data`. */
export const webhookEvents = { "webhook.test": { version: 1 } } as const;

/** What `data` is, for readers: no part of the running Worker. */
export const webhookEventContracts = {
  "webhook.test": {
    data: z.strictObject({ webhookId: z.uuid() }),
    summary: "An administrator asked for a test delivery. It goes to that endpoint alone.",
  },
} as const;
