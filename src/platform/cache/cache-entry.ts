/** What a cache knows of a row: its value, the database state it was read at, and until when it may be served. */
import { isBookmark, laterBookmark } from "../../kernel/bookmark";

export interface CacheEntry<Value> {
  /** Null: the row does not exist. In KV that is a tombstone. */
  readonly value: Value | null;
  /** Of the database state in which it was read; null when D1 named none. */
  readonly bookmark: string | null;
  /** When its read began. */
  readonly readAtMs: number;
  /** Kept by us and not left to KV, whose locations may show an expired value for a while. */
  readonly expiresAtMs: number;
}

/** Whether `a` was read at an older state than `b`. Without a bookmark an entry is older than all that have one. */
export function isOlder(a: { bookmark: string | null }, b: { bookmark: string | null }): boolean {
  return a.bookmark !== b.bookmark && laterBookmark(a.bookmark, b.bookmark) === b.bookmark;
}

/** How long what is believed. All in milliseconds. */
export interface CacheTimings {
  /** Memory answers without asking anybody. */
  readonly servedMaxMs: number;
  /**
   * Memory knows how new a row it has seen, so that nothing older is taken from KV or a replica. At least the bound on
   * staleness: by then KV and replicas have caught up.
   */
  readonly knownMaxMs: number;
  /** A fill that took longer may overwrite, in KV, the refresh that follows a change after 30 s. */
  readonly promptMs: number;
  /** The life of such a fill, and of a replica's, which lags up to 30 s: gone 90 s after the change at the latest. */
  readonly briefMs: number;
}

export const CACHE_TIMINGS: CacheTimings = {
  servedMaxMs: 5_000,
  knownMaxMs: 120_000,
  promptMs: 10_000,
  briefMs: 60_000,
};

/**
 * When an entry stops being served: the full life only to what was read from the primary in under 10 s, for only that
 * is certain to be overwritten by the refresh; any other 60 s. Both count from the start of the read.
 */
export function expiryOf(on: {
  readonly readAtMs: number;
  readonly nowMs: number;
  readonly isFromPrimary: boolean;
  readonly ttlSeconds: number;
  readonly timings: CacheTimings;
}): number {
  const { promptMs, briefMs } = on.timings;
  const tookMs = on.nowMs - on.readAtMs;
  const isCertain = on.isFromPrimary && tookMs >= 0 && tookMs < promptMs;
  return on.readAtMs + (isCertain ? Math.max(on.ttlSeconds * 1_000, briefMs) : briefMs);
}

/** The text in KV. `format` is the owner's number for the shape of its values: another one is not read. */
export function encodeEntry<Value>(entry: CacheEntry<Value>, format: number): string {
  return JSON.stringify({ format, ...entry });
}

/** Null for what is not an entry of this format: another deployment may have written it. */
export function decodeEntry<Value>(text: string, format: number): CacheEntry<Value> | null {
  const parsed = parseObject(text);
  if (parsed === null || parsed.format !== format) return null;
  const { value, bookmark, readAtMs, expiresAtMs } = parsed;
  if (value === undefined || !Number.isFinite(readAtMs) || !Number.isFinite(expiresAtMs)) return null;
  if (bookmark !== null && !(typeof bookmark === "string" && isBookmark(bookmark))) return null;
  // The format vouches for the value: only this code writes the namespace.
  return { value, bookmark, readAtMs, expiresAtMs } as CacheEntry<Value>;
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? { ...parsed } : null;
  } catch {
    return null;
  }
}
