/** The product as every protocol shows it, to everybody. */
import type * as z from "../../../kernel/schema";
import type { productSchema } from "./schemas";

export type Product = z.Model<typeof productSchema>;
