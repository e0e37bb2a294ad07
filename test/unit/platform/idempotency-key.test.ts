import { expect, test } from "vitest";
import { isIdempotencyKey } from "../../../src/platform/idempotency";

test("a key is 1 to 255 visible ASCII characters", () => {
  for (const key of ["a", '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "~".repeat(255), "!"])
    expect(isIdempotencyKey(key)).toBe(true);
  for (const key of ["", "a b", "a\tb", "\u007f", "é", "ключ", "x".repeat(256), "a\n"])
    expect(isIdempotencyKey(key)).toBe(false);
});
