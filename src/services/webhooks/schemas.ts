/** What an administrator may ask of webhooks. */
import * as z from "zod";
import { cursorSchema, limitSchema } from "../../kernel/paging";

const url = z.string().min(1).max(2_000);
const types = z.array(z.string().min(1).max(100)).min(1).max(50);

export const createWebhookSchema = z.strictObject({ url, types });
export type CreateWebhookInput = z.infer<typeof createWebhookSchema>;

export const patchWebhookSchema = z.strictObject({
  url: url.optional(),
  types: types.optional(),
  isEnabled: z.boolean().optional(),
});
export type PatchWebhookInput = z.infer<typeof patchWebhookSchema>;

export const listWebhooksSchema = z.strictObject({ limit: limitSchema, cursor: cursorSchema });
export type ListWebhooksQuery = z.infer<typeof listWebhooksSchema>;
