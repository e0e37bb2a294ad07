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
import type { Account } from "./model";

/** Raise it with every change to the shape of `Account`: a deployment must not read its predecessor's entries. */
const FORMAT = 2;

/** About 1 KiB a user; an isolate has 128 MiB for everything. */
const BOUNDS = { entriesMax: 5_000, bytesMax: 8 * 1024 * 1024 };

/** Shared by the requests of an isolate; values only. */
export type UserMemory = CacheMemory<Account>;

export function newUserMemory(timings?: CacheTimings): UserMemory {
  return newCacheMemory<Account>(BOUNDS, timings);
}

export class UserCache {
  readonly #tiers: TwoTierCache<Account>;

  constructor(options: Omit<TwoTierCacheOptions<Account>, "format">) {
    this.#tiers = new TwoTierCache<Account>({ ...options, format: FORMAT });
  }

  /** Returns null if there is no such user. **Errors**: what `load` throws. **Cost**: nothing from memory, 1 KV read, or `load` besides. */
  read(userId: string, load: Load<Account>): Promise<Account | null> {
    return this.#tiers.read(keyOf(userId), load);
  }

  /** As `read`, but null when neither memory nor KV has it. **Cost**: nothing, or 1 KV read. */
  peek(userId: string): Promise<Account | null> {
    return this.#tiers.peek(keyOf(userId));
  }

  /**
   * What was just committed; null for a deletion, which leaves a tombstone. **Cost**: 1 KV write, after the response.
   *
   * @param startedAtMs before the commit was sent
   */
  written(userId: string, committed: Stamped<Account | null>, startedAtMs: number): void {
    this.#tiers.written(keyOf(userId), { ...committed, value: withoutSecrets(committed.value) }, startedAtMs);
  }

  /** The primary's row over whatever lies in KV. **Errors**: `unavailable`: repeat. **Cost**: `load` and 1 KV write. */
  refresh(userId: string, load: Load<Account>): Promise<void> {
    return this.#tiers.refresh(keyOf(userId), load);
  }
}

function keyOf(userId: string): string {
  return `user:${userId}`;
}

/** Whoever hands in more than an `Account`, such as a credential with its hash, stores only that. */
function withoutSecrets(account: Account | null): Account | null {
  if (account === null) return null;
  const { user, tokenEpoch, lastChangeId } = account;
  return { user, tokenEpoch, lastChangeId };
}
