/**
 * The user cache: `user:<id>` in KV under a few seconds of isolate memory, never older than what its caller has seen.
 * The rules are `platform/cache/two-tier-cache`'s; this names the keys, the format and the bounds.
 */
import type { CacheTimings } from "../../platform/cache/cache-entry";
import {
  type CacheMemory,
  type Load,
  newCacheMemory,
  TwoTierCache,
  type TwoTierCacheOptions,
} from "../../platform/cache/two-tier-cache";
import type { Stamped } from "../../platform/database";
import type { User } from "./model";

/** Raise it with every change to the shape of `User`: a deployment must not read its predecessor's entries. */
const FORMAT = 1;

/** About 1 KiB a user; an isolate has 128 MiB for everything. */
const BOUNDS = { entriesMax: 5_000, bytesMax: 8 * 1024 * 1024 };

/** Shared by the requests of an isolate; values only. */
export type UserMemory = CacheMemory<User>;

export function newUserMemory(timings?: CacheTimings): UserMemory {
  return newCacheMemory<User>(BOUNDS, timings);
}

export class UserCache {
  readonly #tiers: TwoTierCache<User>;

  constructor(options: Omit<TwoTierCacheOptions<User>, "format">) {
    this.#tiers = new TwoTierCache<User>({ ...options, format: FORMAT });
  }

  /**
   * Null: there is no such user. **Errors**: what `load` throws. **Cost**: nothing from memory, 1 KV read, or `load` besides.
   *
   * @param loadLater as `load`, for what follows the response
   */
  read(userId: string, load: Load<User>, loadLater: Load<User>): Promise<User | null> {
    return this.#tiers.read(keyOf(userId), load, loadLater);
  }

  /**
   * What was just committed; null for a deletion, which leaves a tombstone. **Cost**: 1 KV write, after the response.
   *
   * @param startedAtMs before the commit was sent
   */
  written(userId: string, committed: Stamped<User | null>, startedAtMs: number): void {
    this.#tiers.written(keyOf(userId), committed, startedAtMs);
  }

  /** The primary's row over whatever lies in KV. **Errors**: `unavailable`: repeat. **Cost**: `load` and 1 KV write. */
  refresh(userId: string, load: Load<User>): Promise<void> {
    return this.#tiers.refresh(keyOf(userId), load);
  }
}

function keyOf(userId: string): string {
  return `user:${userId}`;
}
