import { expect, test } from "vitest";
import {
  addRevocations,
  asAddition,
  isNothingRevoked,
  NO_REVOCATIONS,
  nextExpiry,
  pruneRevocations,
} from "../../../../src/platform/limiter/revocations";

test("nothing that was revoked is let in again, whatever comes after", () => {
  const once = addRevocations(NO_REVOCATIONS, { sessionIds: [{ id: "s", expiresAt: 500 }], minEpoch: 3 });
  const twice = addRevocations(once, {
    sessionIds: [{ id: "s", expiresAt: 100 }],
    minEpoch: 2,
    minIssuedAt: 7,
  });
  expect(twice).toEqual({
    minEpoch: 3,
    minEpochExpiresAt: null,
    minEpochSince: null,
    minIssuedAt: 7,
    sessions: [{ id: "s", expiresAt: 500 }],
  });
  expect(addRevocations(twice, {})).toEqual(twice);
  expect(addRevocations(NO_REVOCATIONS, asAddition(twice))).toEqual(twice);
});

test("an epoch is kept for good unless its expiry is known, and the longer keeping wins", () => {
  const forGood = addRevocations(NO_REVOCATIONS, { minEpoch: 2 });
  expect(pruneRevocations(forGood, Number.MAX_SAFE_INTEGER).minEpoch).toBe(2);
  expect(addRevocations(forGood, { minEpoch: 2, minEpochExpiresAt: 9 }).minEpochExpiresAt).toBeNull();
  const passing = addRevocations(NO_REVOCATIONS, { minEpoch: 2, minEpochExpiresAt: 9 });
  expect(addRevocations(passing, { minEpoch: 2, minEpochExpiresAt: 5 }).minEpochExpiresAt).toBe(9);
  expect(addRevocations(passing, { minEpoch: 2 }).minEpochExpiresAt).toBeNull();
  expect(pruneRevocations(passing, 8).minEpoch).toBe(2);
  expect(pruneRevocations(passing, 9).minEpoch).toBe(0);
});

test("when an epoch was raised first is remembered as long as it is the lowest", () => {
  const raised = addRevocations(NO_REVOCATIONS, { minEpoch: 2, minEpochSince: 50, minEpochExpiresAt: 99 });
  expect(addRevocations(raised, { minEpoch: 2, minEpochSince: 70 }).minEpochSince).toBe(50);
  expect(addRevocations(raised, { minEpoch: 1, minEpochSince: 10 }).minEpochSince).toBe(50);
  expect(addRevocations(raised, { minEpoch: 3, minEpochSince: 70 }).minEpochSince).toBe(70);
  expect(addRevocations(NO_REVOCATIONS, asAddition(raised)).minEpochSince).toBe(50);
  expect(pruneRevocations(raised, 99).minEpochSince).toBeNull();
});

test("a session is forgotten when its last token has expired, and not a moment earlier", () => {
  const known = addRevocations(NO_REVOCATIONS, {
    sessionIds: [
      { id: "a", expiresAt: 10 },
      { id: "b", expiresAt: 20 },
    ],
  });
  expect(nextExpiry(known)).toBe(10);
  expect(pruneRevocations(known, 9)).toBe(known);
  expect(pruneRevocations(known, 10).sessions.map(({ id }) => id)).toEqual(["b"]);
  expect(isNothingRevoked(pruneRevocations(known, 20))).toBe(true);
  expect(isNothingRevoked(addRevocations(NO_REVOCATIONS, { minIssuedAt: 1 }))).toBe(false);
});
