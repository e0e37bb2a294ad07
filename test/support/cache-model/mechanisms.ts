/** The mechanisms that hold the cache's laws, and how each is switched off. */
import { CACHE_TIMINGS, type CacheTimings } from "../../../src/platform/cache/cache-entry";
import type { KvStore } from "../../../src/platform/cache/kv-tier";

export type Mechanism =
  | "bookmark-comparison"
  | "primary-for-bookmarks"
  | "own-bookmarks-only"
  | "write-through"
  | "tombstone"
  | "refresh"
  | "resend"
  | "brief-life-of-slow-fills"
  | "brief-life-of-replica-fills"
  | "own-expiry"
  | "memory-age"
  | "nothing-older-than-known"
  | "cursor-bookmark";

export function timingsWithout(off: Mechanism | undefined): CacheTimings {
  switch (off) {
    case "memory-age":
      return { ...CACHE_TIMINGS, servedMaxMs: 3_600_000, knownMaxMs: 3_600_000 };
    case "nothing-older-than-known":
      return { ...CACHE_TIMINGS, knownMaxMs: CACHE_TIMINGS.servedMaxMs };
    case "brief-life-of-slow-fills":
      return { ...CACHE_TIMINGS, promptMs: Number.POSITIVE_INFINITY };
    default:
      return CACHE_TIMINGS;
  }
}

/** Leaves expiry to KV, whose locations show an expired entry for a while. */
export function neverExpiring(kv: KvStore): KvStore {
  return {
    put: (key, text, options) => kv.put(key, text, options),
    get: async (key, options) => {
      const text = await kv.get(key, options);
      return text === null
        ? null
        : JSON.stringify({ ...JSON.parse(text), expiresAtMs: Number.MAX_SAFE_INTEGER });
    },
  };
}
