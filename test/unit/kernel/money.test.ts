import fc from "fast-check";
import { expect, test } from "vitest";
import {
  CURRENCIES,
  formatMinor,
  isCurrency,
  multiplyMinor,
  PRICE_MINOR_MAX,
  sumMinor,
} from "../../../src/kernel/money";

test("currencies are ISO 4217's active codes, in upper case, each once", () => {
  expect(new Set(CURRENCIES).size).toBe(CURRENCIES.length);
  expect(CURRENCIES.every((code) => /^[A-Z]{3}$/.test(code))).toBe(true);
  for (const code of ["EUR", "USD", "JPY", "KWD", "XCG"]) expect(isCurrency(code)).toBe(true);
  // Lower case, withdrawn, a metal, no currency, not a code, and what every object has.
  for (const code of ["eur", "HRK", "XAU", "XXX", "EU", "constructor"]) expect(isCurrency(code)).toBe(false);
});

test("no order that the bounds allow leaves the exact integers", () => {
  const line = multiplyMinor(PRICE_MINOR_MAX, 1_000);
  const total = sumMinor(Array.from({ length: 50 }, () => line));
  expect(BigInt(total)).toBe(BigInt(PRICE_MINOR_MAX) * 1_000n * 50n);
});

test("sums are exact, or they are refused", () => {
  const amounts = fc.array(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), { maxLength: 50 });
  fc.assert(
    fc.property(amounts, (list) => {
      const exact = list.reduce((sum, amount) => sum + BigInt(amount), 0n);
      if (exact <= BigInt(Number.MAX_SAFE_INTEGER)) expect(BigInt(sumMinor(list))).toBe(exact);
      else expect(() => sumMinor(list)).toThrow(RangeError);
    }),
  );
  expect(() => multiplyMinor(0.1, 3)).toThrow(RangeError);
});

test("amounts are written with as many places as their currency has", () => {
  expect(formatMinor(1_234, "EUR")).toBe("12.34 EUR");
  expect(formatMinor(5, "EUR")).toBe("0.05 EUR");
  expect(formatMinor(1_200, "JPY")).toBe("1200 JPY");
  expect(formatMinor(1_250, "KWD")).toBe("1.250 KWD");
  expect(formatMinor(-7, "USD")).toBe("-0.07 USD");
  expect(formatMinor(5_000_000_000_000_000, "EUR")).toBe("50000000000000.00 EUR");
});
