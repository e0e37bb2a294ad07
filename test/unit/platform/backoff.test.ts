import fc from "fast-check";
import { expect, test } from "vitest";
import { backoffSeconds } from "../../../src/platform/outbox/backoff";

const POLICY = { attemptsMax: 8, backoffSeconds: 10, backoffMaxSeconds: 3600 };

test("the wait doubles with each failure", () => {
  expect([1, 2, 3, 4].map((attempts) => backoffSeconds(POLICY, attempts, 0))).toEqual([10, 20, 40, 80]);
});

test("the wait is a whole number between half and all of its step, and never over the longest", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (attempts, fraction) => {
        const step = Math.min(10 * 2 ** (attempts - 1), 3600);
        const wait = backoffSeconds(POLICY, attempts, fraction);
        expect(Number.isInteger(wait)).toBe(true);
        expect(wait).toBeGreaterThanOrEqual(step / 2);
        expect(wait).toBeLessThanOrEqual(step);
      },
    ),
  );
});
