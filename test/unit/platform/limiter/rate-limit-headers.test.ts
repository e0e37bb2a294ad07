import * as fc from "fast-check";
import { parseList } from "structured-headers";
import { expect, test } from "vitest";
import { rateLimitField, rateLimitPolicyField } from "../../../../src/platform/limiter/rate-limit-headers";

const FIRST = { policy: "default", limit: 100, windowSeconds: 900, remaining: 99, resetSeconds: 900 };

test("the fields read as the draft writes them", () => {
  expect(rateLimitPolicyField(FIRST)).toBe('"default";q=100;w=900');
  expect(rateLimitField(FIRST)).toBe('"default";r=99;t=900');
});

test("every field parses as a structured list of one string with whole, non-negative parameters", () => {
  const figures = fc.record({
    policy: fc.string({ maxLength: 40 }),
    limit: fc.double({ min: -10, max: 1e18, noNaN: true }),
    windowSeconds: fc.double({ min: -10, max: 1e18, noNaN: true }),
    remaining: fc.double({ min: -10, max: 1e18, noNaN: true }),
    resetSeconds: fc.double({ min: -10, max: 1e18, noNaN: true }),
  });
  fc.assert(
    fc.property(figures, (sample) => {
      for (const field of [rateLimitPolicyField(sample), rateLimitField(sample)]) {
        const [item, ...rest] = parseList(field);
        expect(rest).toEqual([]);
        expect(typeof item?.[0]).toBe("string");
        for (const value of item?.[1].values() ?? [])
          expect(Number.isInteger(value) && Number(value) >= 0).toBe(true);
        expect(item?.[1].size).toBe(2);
      }
    }),
  );
});
