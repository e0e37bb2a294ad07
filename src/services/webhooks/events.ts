/** Events of the webhooks service. */
import * as z from "../../kernel/schema";

export const WEBHOOKS_SOURCE = "/meridian/webhooks";

/** Type, schema and version of `data`. */
export const webhookEvents = {
  "webhook.test": {
    version: 1,
    data: z.strictObject({ webhookId: z.uuid() }),
    summary: "An administrator asked for a test delivery. It goes to that endpoint alone.",
  },
} as const;
