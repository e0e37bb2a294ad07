import { describe, expect, test } from "vitest";
import {
  CACHE_TIMINGS,
  decodeEntry,
  encodeEntry,
  expiryOf,
  isOlder,
} from "../../../../src/platform/cache/cache-entry";

const BOOKMARK = `00000001-00000000-00000000-${"0".repeat(32)}`;
const LATER = `00000002-00000000-00000000-${"0".repeat(32)}`;

describe("the life of an entry", () => {
  const lifeMs = (tookMs: number, isFromPrimary: boolean) =>
    expiryOf({ readAtMs: 0, nowMs: tookMs, isFromPrimary, ttlSeconds: 3_600, timings: CACHE_TIMINGS });

  test("is full only when the primary answered in under 10 s, and 60 s from the start of the read otherwise", () => {
    expect(lifeMs(0, true)).toBe(3_600_000);
    expect(lifeMs(9_999, true)).toBe(3_600_000);
    expect(lifeMs(10_000, true)).toBe(60_000);
    expect(lifeMs(5, false)).toBe(60_000);
    expect(lifeMs(-1, true)).toBe(60_000);
  });
});

describe("the age of an entry", () => {
  test("is told by its bookmark, and without one it is older than all that have one", () => {
    const [none, first, second] = [null, BOOKMARK, LATER].map((bookmark) => ({ bookmark }));
    if (none === undefined || first === undefined || second === undefined) throw new Error("unreachable");
    expect([isOlder(first, second), isOlder(second, first), isOlder(first, first)]).toEqual([
      true,
      false,
      false,
    ]);
    expect([isOlder(none, first), isOlder(first, none), isOlder(none, none)]).toEqual([true, false, false]);
  });
});

describe("an entry in KV", () => {
  const entry = { value: { id: "ada" }, bookmark: BOOKMARK, readAtMs: 1, expiresAtMs: 2 };

  test("is read as it was written, a tombstone and an entry without bookmark too", () => {
    for (const written of [entry, { ...entry, value: null }, { ...entry, bookmark: null }]) {
      expect(decodeEntry(encodeEntry(written, 3), 3)).toEqual(written);
    }
  });

  test("of another format, or damaged, is not read", () => {
    expect(decodeEntry(encodeEntry(entry, 2), 3)).toBeNull();
    const damaged = [
      "",
      "null",
      "7",
      "{",
      "[]",
      "{}",
      JSON.stringify({ ...entry, format: 3, bookmark: "x" }),
    ];
    for (const text of damaged) expect([text, decodeEntry(text, 3)]).toEqual([text, null]);
    expect(decodeEntry(JSON.stringify({ ...entry, format: 3, expiresAtMs: "soon" }), 3)).toBeNull();
    const { value: _, ...rest } = entry;
    expect(decodeEntry(JSON.stringify({ ...rest, format: 3 }), 3)).toBeNull();
  });
});
