/** What products take and answer, the same for every protocol. Unknown fields of an input are refused. */

import { CURRENCIES, isCurrency, PRICE_MINOR_MAX } from "../../../kernel/money";
import { onFirstCall } from "../../../kernel/on-first-call";
import * as output from "../../../kernel/output-fields";
import { pageSchema } from "../../../kernel/paging";
import * as z from "../../../kernel/schema";
import { codePoints, isPlainLine, PLAIN_LINE_PATTERN } from "../../../kernel/text";

const STOCK_MAX = 1_000_000_000;

const line = (lengthMax: number) =>
  z
    .string()
    // Bounded before anything walks it: a body may hold 256 KiB of text.
    .check(
      z.maxLength(1_000, `Must have at most ${lengthMax} characters.`),
      z.trim(),
      z.minLength(1, "Must not be empty."),
      z.refine(isPlainLine, {
        error: "May not contain control characters, lone surrogates or bidirectional overrides.",
        params: { code: "forbidden_characters" },
      }),
      z.refine((value) => codePoints(value) <= lengthMax, {
        error: `Must have at most ${lengthMax} characters.`,
        params: { code: "too_long" },
      }),
      z.meta({ maxLength: lengthMax, pattern: PLAIN_LINE_PATTERN }),
    );

const sku = onFirstCall(() => line(64));
const name = () => line(200);
const priceMinor = () =>
  z
    .int("Must be a whole number of minor units.")
    .check(
      z.minimum(0, "Must not be negative."),
      z.maximum(PRICE_MINOR_MAX, `Must be at most ${PRICE_MINOR_MAX}.`),
    );
const currency = () =>
  z
    .string()
    .check(
      z.refine(isCurrency, { error: "Must be an ISO 4217 code.", params: { code: "unknown_currency" } }),
      z.meta({ enum: CURRENCIES }),
    );
const stock = () =>
  z
    .int("Must be a whole number.")
    .check(z.minimum(0, "Must not be negative."), z.maximum(STOCK_MAX, `Must be at most ${STOCK_MAX}.`));

export const createProductSchema = onFirstCall(() =>
  z.strictObject({
    sku: sku(),
    name: name(),
    priceMinor: priceMinor(),
    currency: currency(),
    stock: stock(),
  }),
);
export type CreateProductInput = z.Made<typeof createProductSchema>;

/** PATCH: a merge patch. Absent stays; nothing can be cleared. Source: RFC 7396. */
export const patchProductSchema = onFirstCall(() => z.partial(createProductSchema()));
export type PatchProductInput = z.Made<typeof patchProductSchema>;

/** Newest first. */
export const listProductsSchema = onFirstCall(() =>
  z.extend(pageSchema(), {
    sku: z.optional(sku()),
  }),
);
export type ListProductsQuery = z.Made<typeof listProductsSchema>;

/** The product as every protocol shows it, to everybody. A sale raises `version` too. */
export const productSchema = onFirstCall(() =>
  z.strictObject({
    id: output.id(),
    sku: output.text(64),
    name: output.text(200),
    priceMinor: output.count().check(z.describe("Minor units of `currency`.")),
    currency: output.currency(),
    stock: output.count().check(z.describe("Pieces that can be ordered now.")),
    version: output.version(),
    createdAt: output.time(),
    updatedAt: output.time(),
  }),
);
export type Product = z.Model<typeof productSchema>;
