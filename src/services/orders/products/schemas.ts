/** Input rules of products, the same for every protocol. Unknown fields are refused. */
import * as z from "zod";
import { CURRENCIES, isCurrency, PRICE_MINOR_MAX } from "../../../kernel/money";
import { pageSchema } from "../../../kernel/paging";
import { codePoints, isPlainLine, PLAIN_LINE_PATTERN } from "../../../kernel/text";

const STOCK_MAX = 1_000_000_000;

const line = (lengthMax: number) =>
  z
    .string()
    // Bounded before anything walks it: a body may hold 256 KiB of text.
    .max(1_000, `Must have at most ${lengthMax} characters.`)
    .trim()
    .min(1, "Must not be empty.")
    .refine(isPlainLine, {
      error: "May not contain control characters, lone surrogates or bidirectional overrides.",
      params: { code: "forbidden_characters" },
    })
    .refine((value) => codePoints(value) <= lengthMax, {
      error: `Must have at most ${lengthMax} characters.`,
      params: { code: "too_long" },
    })
    .meta({ maxLength: lengthMax, pattern: PLAIN_LINE_PATTERN });

const sku = line(64);
const name = line(200);
const priceMinor = z
  .int("Must be a whole number of minor units.")
  .min(0, "Must not be negative.")
  .max(PRICE_MINOR_MAX, `Must be at most ${PRICE_MINOR_MAX}.`);
const currency = z
  .string()
  .refine(isCurrency, { error: "Must be an ISO 4217 code.", params: { code: "unknown_currency" } })
  .meta({ enum: CURRENCIES });
const stock = z
  .int("Must be a whole number.")
  .min(0, "Must not be negative.")
  .max(STOCK_MAX, `Must be at most ${STOCK_MAX}.`);

export const createProductSchema = z.strictObject({ sku, name, priceMinor, currency, stock });
export type CreateProductInput = z.infer<typeof createProductSchema>;

/** PATCH: a merge patch. Absent stays; nothing can be cleared. Source: RFC 7396. */
export const patchProductSchema = createProductSchema.partial();
export type PatchProductInput = z.infer<typeof patchProductSchema>;

/** Newest first. */
export const listProductsSchema = pageSchema.extend({
  sku: sku.optional(),
});
export type ListProductsQuery = z.infer<typeof listProductsSchema>;
