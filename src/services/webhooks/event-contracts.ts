/** The shape of `data` in each event of the webhooks service, for documents, types and tests. The running Worker never loads it. */
import * as z from "../../kernel/schema";

export const webhookEventContracts = {
  "webhook.test": {
    data: z.strictObject({ webhookId: z.uuid() }),
    summary: "An administrator asked for a test delivery. It goes to that endpoint alone.",
  },
} as const;
