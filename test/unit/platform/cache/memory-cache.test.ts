import { describe, expect, test } from "vitest";
import { MemoryCache } from "../../../../src/platform/cache/memory-cache";

const newCache = (bounds: Partial<{ entriesMax: number; bytesMax: number; ageMaxMs: number }> = {}) =>
  new MemoryCache<string>({ entriesMax: 3, bytesMax: 100, ageMaxMs: 1_000, ...bounds });

describe("a memory cache", () => {
  test("holds no more entries than it may, and drops what was used longest ago", () => {
    const cache = newCache();
    for (const key of ["a", "b", "c"]) cache.set(key, key, 1, 0);
    cache.get("a", 1);
    cache.set("d", "d", 1, 2);
    expect(["a", "b", "c", "d"].map((key) => cache.get(key, 3))).toEqual(["a", null, "c", "d"]);
    expect(cache.size).toEqual({ entries: 3, bytes: 3 });
  });

  test("holds no more bytes than it may, and nothing that is larger than all of it", () => {
    const cache = newCache();
    cache.set("a", "a", 60, 0);
    cache.set("b", "b", 60, 0);
    expect([cache.get("a", 0), cache.get("b", 0)]).toEqual([null, "b"]);
    cache.set("huge", "huge", 101, 0);
    expect(cache.get("huge", 0)).toBeNull();
    expect(cache.size).toEqual({ entries: 0, bytes: 0 });
  });

  test("counts an entry that is replaced or deleted once", () => {
    const cache = newCache();
    for (const bytes of [10, 20, 30]) cache.set("a", "a", bytes, 0);
    expect(cache.size).toEqual({ entries: 1, bytes: 30 });
    cache.delete("a");
    cache.delete("a");
    expect(cache.size).toEqual({ entries: 0, bytes: 0 });
  });

  test("forgets with age, and distrusts a clock that went back", () => {
    const cache = newCache();
    cache.set("a", "a", 1, 5_000);
    expect(cache.get("a", 5_999)).toBe("a");
    expect(cache.get("a", 6_000)).toBeNull();
    cache.set("b", "b", 1, 5_000);
    expect(cache.get("b", 4_999)).toBeNull();
    expect(cache.size.entries).toBe(0);
  });
});
