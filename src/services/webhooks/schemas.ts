/** What an administrator may ask of webhooks. */

import { cursorSchema, limitSchema } from "../../kernel/paging";
import * as z from "../../kernel/schema";

const url = z.string().check(z.minLength(1), z.maxLength(2_000));
const types = z
  .array(z.string().check(z.minLength(1), z.maxLength(100)))
  .check(z.minLength(1), z.maxLength(50));

export const createWebhookSchema = z.strictObject({ url, types });
export type CreateWebhookInput = z.infer<typeof createWebhookSchema>;

export const patchWebhookSchema = z.strictObject({
  url: z.optional(url),
  types: z.optional(types),
  isEnabled: z.optional(z.boolean()),
});
export type PatchWebhookInput = z.infer<typeof patchWebhookSchema>;

export const listWebhooksSchema = z.strictObject({ limit: limitSchema, cursor: cursorSchema });
export type ListWebhooksQuery = z.infer<typeof listWebhooksSchema>;
