/** What an administrator may ask of webhooks. */

import { onFirstCall } from "../../kernel/on-first-call";
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
