import { expect, test } from "vitest";
import { isUuid, uuidV7 } from "../../src/kernel/ids";

test("ids are UUIDv7 and sort by time of creation", () => {
  const random = new Uint8Array(10).fill(255);
  const earlier = uuidV7(1_000, random);
  const later = uuidV7(1_001, new Uint8Array(10));
  expect(isUuid(earlier)).toBe(true);
  expect(isUuid(later)).toBe(true);
  expect(earlier < later).toBe(true);
  expect(earlier).toBe("00000000-03e8-7fff-bfff-ffffffffffff");
});
