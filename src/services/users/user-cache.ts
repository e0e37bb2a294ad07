/**
 * The user cache: isolate memory over KV, read-through and write-through. An entry carries the row's version and the D1
 * bookmark at which it was read; a request that presents a bookmark is answered only from an entry that is not older.
 *
 * KV shows a write elsewhere after 60 s or more, and has no compare-and-set: so an entry is never trusted against a
 * bookmark it does not carry, and a deletion leaves a tombstone, which a late reader's put cannot make look fresh.
 */
import { laterBookmark } from "../../kernel/bookmark";
import { MemoryCache } from "../../platform/cache/memory-cache";
import { describeError } from "../../platform/observability/logger";
import type { Scope } from "../../platform/scope";
import type { User } from "./model";

export interface CacheEntry {
  /** Null: the user is deleted. */
  readonly user: User | null;
  /** Of the database state in which it was read; null when D1 named none. */
  readonly bookmark: string | null;
}

const MEMORY_AGE_MAX_MS = 5_000;
const MEMORY_ENTRIES_MAX = 2_000;
/** KV refuses less. */
const KV_CACHE_TTL_SECONDS = 30;

/** Shared by the requests of an isolate; values only. */
export type UserMemory = MemoryCache<CacheEntry>;

export function newUserMemory(): UserMemory {
  return new MemoryCache<CacheEntry>({ entriesMax: MEMORY_ENTRIES_MAX, ageMaxMs: MEMORY_AGE_MAX_MS });
}

export class UserCache {
  readonly #kv: KVNamespace;
  readonly #memory: UserMemory;
  readonly #ttlSeconds: number;
  readonly #scope: Scope;

  constructor(options: { kv: KVNamespace; memory: UserMemory; ttlSeconds: number; scope: Scope }) {
    this.#kv = options.kv;
    this.#memory = options.memory;
    this.#ttlSeconds = options.ttlSeconds;
    this.#scope = options.scope;
  }

  /**
   * The entry, or null when the database must be asked.
   * **Cost**: nothing from memory, else 1 KV read. A failing KV is a miss, not an error.
   */
  async get(userId: string): Promise<CacheEntry | null> {
    const { calls, clock } = this.#scope;
    const remembered = this.#memory.get(userId, clock());
    if (remembered !== null && this.#isFreshEnough(remembered)) {
      calls.cache = "memory";
      return remembered;
    }
    const stored = await this.#readKv(userId);
    if (stored !== null && this.#isFreshEnough(stored)) {
      calls.cache = "kv";
      this.#memory.set(userId, stored, clock());
      return stored;
    }
    calls.cache = remembered !== null || stored !== null ? "stale-refused" : "miss";
    return null;
  }

  /** Remembers what was read or just written: at once in memory, in KV after the response. **Cost**: 1 KV write. */
  put(userId: string, entry: CacheEntry): void {
    this.#memory.set(userId, entry, this.#scope.clock());
    this.#scope.waitUntil(this.#writeKv(userId, entry));
  }

  /** An entry may answer a request without a bookmark, or one whose bookmark it is not behind. */
  #isFreshEnough(entry: CacheEntry): boolean {
    const asked = this.#scope.clientBookmark;
    return (
      asked === null || (entry.bookmark !== null && laterBookmark(entry.bookmark, asked) === entry.bookmark)
    );
  }

  async #readKv(userId: string): Promise<CacheEntry | null> {
    this.#scope.calls.kvReads += 1;
    try {
      return await this.#kv.get<CacheEntry>(keyOf(userId), { type: "json", cacheTtl: KV_CACHE_TTL_SECONDS });
    } catch (error) {
      this.#scope.log.log("warn", "cache.read_failed", describeError(error));
      return null;
    }
  }

  async #writeKv(userId: string, entry: CacheEntry): Promise<void> {
    this.#scope.calls.kvWrites += 1;
    try {
      await this.#kv.put(keyOf(userId), JSON.stringify(entry), { expirationTtl: this.#ttlSeconds });
    } catch (error) {
      this.#scope.log.log("warn", "cache.write_failed", describeError(error));
    }
  }
}

function keyOf(userId: string): string {
  return `user:${userId}`;
}
