/** An order before it is placed: prices and names out of the database, never out of the request. Pure. */
import { toTimestamp } from "../../kernel/clock";
import { done, type Outcome, refuse, type Violation } from "../../kernel/errors";
import { multiplyMinor, sumMinor } from "../../kernel/money";
import type { Shortage } from "../../kernel/refusal-details";
import type { Product } from "./products/schemas";
import type { Order, OrderItem } from "./schemas";

/** A line as it was asked for. */
export interface WantedItem {
  readonly productId: string;
  readonly quantity: number;
}

export interface Draft {
  readonly items: readonly OrderItem[];
  readonly currency: string;
  readonly totalMinor: number;
}

/**
 * Prices the lines. **Errors**: `validation_failed` with the line's pointer for a product that is not there or that is
 * sold in another currency than the first line's; `out_of_stock`.
 */
export function draftOrder(wanted: readonly WantedItem[], found: readonly Product[]): Outcome<Draft> {
  const byId = new Map(found.map((product) => [product.id, product]));
  const priced = wanted.flatMap((line) => {
    const product = byId.get(line.productId);
    return product === undefined ? [] : [{ line, product }];
  });
  const currency = priced[0]?.product.currency;
  const violations = wanted.flatMap(({ productId }, index) =>
    faultOf(`#/items/${index}/productId`, byId.get(productId), currency),
  );
  if (violations.length > 0 || currency === undefined) {
    return refuse("validation_failed", "These lines cannot be ordered together.", { violations });
  }
  const shortages = shortagesOf(wanted, found);
  if (shortages.length > 0) return refuseOutOfStock(shortages);
  const items = priced.map(({ line, product }) => itemOf(product, line.quantity));
  return done({ items, currency, totalMinor: sumMinor(items.map((item) => item.lineTotalMinor)) });
}

/** The order that a draft becomes. @param at epoch milliseconds */
export function newOrder(
  { id, userId, at }: { readonly id: string; readonly userId: string; readonly at: number },
  { items, currency, totalMinor }: Draft,
): Order {
  const createdAt = toTimestamp(at);
  return {
    ...{ id, userId, status: "pending", currency, totalMinor, items },
    ...{ version: 1, createdAt, updatedAt: createdAt },
  };
}

export function shortagesOf(
  wanted: readonly WantedItem[],
  found: readonly { readonly id: string; readonly stock: number }[],
): Shortage[] {
  const stockOf = new Map(found.map(({ id, stock }) => [id, stock]));
  return wanted
    .map(({ productId, quantity }) => ({
      productId,
      requested: quantity,
      available: stockOf.get(productId) ?? 0,
    }))
    .filter(({ requested, available }) => available < requested);
}

export function refuseOutOfStock(products: readonly Shortage[]) {
  return refuse("out_of_stock", "There is less left than was ordered. Nothing was ordered.", {
    extensions: { products },
  });
}

function faultOf(pointer: string, product: Product | undefined, currency: string | undefined): Violation[] {
  if (product === undefined) {
    return [{ pointer, code: "unknown_product", message: "There is no such product." }];
  }
  if (product.currency === currency) return [];
  return [{ pointer, code: "mixed_currency", message: "An order has one currency, the first line's." }];
}

function itemOf(product: Product, quantity: number): OrderItem {
  return {
    productId: product.id,
    sku: product.sku,
    name: product.name,
    unitPriceMinor: product.priceMinor,
    quantity,
    lineTotalMinor: multiplyMinor(product.priceMinor, quantity),
  };
}
