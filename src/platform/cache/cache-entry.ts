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

/** A fill from the primary that took longer may overwrite, in KV, the refresh that follows a change after 30 s. */
const PROMPT_MS = 10_000;
/** Replicas lag up to 30 s: with this what they answered is gone 90 s after the change at the latest. */
const BRIEF_MS = 60_000;

/**
 * When an entry stops being served: the full life only to what was read from the primary in under 10 s, for only that
 * is certain to be overwritten by the refresh; any other 60 s. Both count from the start of the read.
 */
export function expiryOf(on: {
  readonly readAtMs: number;
  readonly nowMs: number;
  readonly isFromPrimary: boolean;
  readonly ttlSeconds: number;
}): number {
  const isCertain = on.isFromPrimary && on.nowMs >= on.readAtMs && on.nowMs - on.readAtMs < PROMPT_MS;
  return on.readAtMs + (isCertain ? Math.max(on.ttlSeconds * 1_000, BRIEF_MS) : BRIEF_MS);
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
