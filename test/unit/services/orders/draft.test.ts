import fc from "fast-check";
import { expect, test } from "vitest";
import { PRICE_MINOR_MAX } from "../../../../src/kernel/money";
import { draftOrder } from "../../../../src/services/orders/draft";
import { placeOrderSchema } from "../../../../src/services/orders/schemas";
import { newTestId } from "../../../support/orders";

const line = fc.record({
  priceMinor: fc.integer({ min: 0, max: PRICE_MINOR_MAX }),
  quantity: fc.integer({ min: 1, max: 1_000 }),
  stock: fc.integer({ min: 0, max: 1_500 }),
});

test("totals are the sum of lines, lines are price times quantity, and a short line refuses the order", () => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 50 }), (lines) => {
      const found = lines.map(({ priceMinor, stock }, index) => ({
        id: newTestId(index),
        sku: `sku-${index}`,
        name: "Thing",
        priceMinor,
        currency: "EUR",
        stock,
        version: 1,
        createdAt: "",
        updatedAt: "",
      }));
      const wanted = lines.map(({ quantity }, index) => ({ productId: newTestId(index), quantity }));
      const drafted = draftOrder(wanted, found.toReversed());
      const isShort = lines.some(({ quantity, stock }) => stock < quantity);
      expect(drafted.ok).toBe(!isShort);
      if (!drafted.ok) return;
      const exact = lines.reduce(
        (sum, { priceMinor, quantity }) => sum + BigInt(priceMinor) * BigInt(quantity),
        0n,
      );
      expect(BigInt(drafted.value.totalMinor)).toBe(exact);
      expect(drafted.value.items.map(({ productId }) => productId)).toEqual(
        wanted.map((item) => item.productId),
      );
    }),
  );
});

test("an order has 1 to 50 lines of 1 to 1000 pieces, each product once, and no price", () => {
  const productId = newTestId(1);
  const accepts = (body: unknown) => placeOrderSchema().safeParse(body).success;
  const lines = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ productId: newTestId(index), quantity: 1 }));
  expect(accepts({ items: lines(1) })).toBe(true);
  expect(accepts({ items: lines(50) })).toBe(true);
  expect(accepts({ items: [] })).toBe(false);
  expect(accepts({ items: lines(51) })).toBe(false);
  for (const quantity of [0, 1_001, 1.5, "1", null]) {
    expect(accepts({ items: [{ productId, quantity }] })).toBe(false);
  }
  expect(accepts({ items: [{ productId, quantity: 1, unitPriceMinor: 1 }] })).toBe(false);
  const twice = placeOrderSchema().safeParse({
    items: [
      { productId, quantity: 1 },
      { productId: productId.toUpperCase(), quantity: 1 },
    ],
  });
  expect(twice.error?.issues[0]?.path).toEqual(["items", 1, "productId"]);
});
