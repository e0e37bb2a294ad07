/**
 * A cache that knows its database's consistency: isolate memory over KV, read-through and write-through, each entry
 * with the D1 bookmark at which it was read.
 *
 *     read:   memory (5 s) -> another request's read -> KV -> D1;   a presented bookmark passes by what is older
 *     fill:   memory at once; when the same isolate misses again within two minutes, the primary's row into KV
 *     write:  the new value (or a tombstone) into both, at once
 *     refresh, 30 s after a change: the primary's row over whatever a slow reader put back meanwhile
 *
 * KV shows a write elsewhere after up to 60 s and has no compare-and-set; replicas lag by up to 30 s. What holds all
 * the same, and what each rule is for: docs/decisions/0050-an-entry-answers-what-it-is-not-behind-of.md.
 */
import { laterBookmark } from "../../kernel/bookmark";
import { AppError } from "../../kernel/errors";
import type { ReadFrom, Stamped } from "../database";
import { inSpan } from "../observability/tracing";
import type { Scope } from "../scope";
import {
  CACHE_TIMINGS,
  type CacheEntry,
  type CacheTimings,
  encodeEntry,
  expiryOf,
  isOlder,
} from "./cache-entry";
import { InFlight } from "./in-flight";
import { type KvCircuits, type KvStore, KvTier, newKvCircuits } from "./kv-tier";
import { MemoryCache } from "./memory-cache";

/** Reads the row from where it is told. */
export type Load<Value> = (from: ReadFrom) => Promise<Stamped<Value | null>>;

/** Waiting for another request's read: 2, 4, 8, 16, 16 ... ms; after a second everybody reads for itself. */
const SHARE_STEP_MS = 2;
const SHARE_STEP_MAX_MS = 16;
const SHARE_WAIT_MAX_MS = 1_000;

interface Known<Value> {
  readonly entry: CacheEntry<Value>;
  readonly storedAtMs: number;
}

/** What the requests of an isolate share of a cache; values only. */
export interface CacheMemory<Value> {
  readonly known: MemoryCache<Known<Value>>;
  readonly inFlight: InFlight;
  readonly circuits: KvCircuits;
}

export function newCacheMemory<Value>(
  bounds: { entriesMax: number; bytesMax: number },
  { knownMaxMs }: CacheTimings = CACHE_TIMINGS,
): CacheMemory<Value> {
  return {
    known: new MemoryCache<Known<Value>>({ ...bounds, ageMaxMs: knownMaxMs }),
    inFlight: new InFlight(),
    circuits: newKvCircuits(),
  };
}

export interface TwoTierCacheOptions<Value> {
  readonly kv: KvStore;
  readonly memory: CacheMemory<Value>;
  /** Of an entry that is certain to be refreshed; see `expiryOf`. */
  readonly ttlSeconds: number;
  /** Raise it when the shape of `Value` changes: entries of another format are not read. */
  readonly format: number;
  readonly scope: Scope;
  readonly timings?: CacheTimings;
  /** Milliseconds. Default: a timer. */
  readonly pause?: (ms: number) => Promise<void>;
}

export class TwoTierCache<Value> {
  readonly #memory: CacheMemory<Value>;
  readonly #kv: KvTier<Value>;
  readonly #format: number;
  readonly #ttlSeconds: number;
  readonly #scope: Scope;
  readonly #timings: CacheTimings;
  readonly #pause: (ms: number) => Promise<void>;

  constructor(options: TwoTierCacheOptions<Value>) {
    const { kv, memory, format, scope } = options;
    this.#memory = memory;
    this.#kv = new KvTier<Value>({ kv, circuits: memory.circuits, format, scope });
    this.#format = format;
    this.#ttlSeconds = options.ttlSeconds;
    this.#scope = scope;
    this.#timings = options.timings ?? CACHE_TIMINGS;
    this.#pause = options.pause ?? ((ms) => scheduler.wait(ms));
  }

  /**
   * The row, or null when it does not exist. Not older than the client's bookmark, nor than what this isolate knows.
   * **Errors**: what `load` throws; none of KV's. **Cost**: nothing from memory; 1 KV read; or `load` besides, and from
   * the second miss on, after the response, 1 KV write, before it `load` again where a replica has answered.
   */
  async read(key: string, load: Load<Value>): Promise<Value | null> {
    let entry = this.#fromMemory(key);
    // No turn lies between this look and the mark below: of those who come at once one reads.
    if (entry === null && this.#isRead(key)) entry = await this.#fromAnotherRequest(key);
    if (entry !== null) {
      this.#scope.calls.cache = "memory";
      return entry.value;
    }
    this.#memory.inFlight.mark(key, this.#scope.clock());
    try {
      return await inSpan("cache.read", {}, () => this.#readThrough(key, load));
    } finally {
      this.#memory.inFlight.unmark(key);
    }
  }

  /**
   * The row as memory or KV has it, by the rules of `read`; null when neither has it. **Cost**: nothing, or 1 KV read.
   */
  async peek(key: string): Promise<Value | null> {
    const known = this.#fromMemory(key);
    if (known !== null) return known.value;
    const stored = await this.#kv.readEntry(key);
    if (stored === null || !this.#mayAnswer(stored.entry) || this.#isOutdated(key, stored.entry)) return null;
    this.#remember(key, stored.entry, stored.length);
    return stored.entry.value;
  }

  /**
   * What this request has just committed; null leaves a tombstone, so that a late reader's copy is not taken for the
   * row. **Cost**: 1 KV write, after the response.
   *
   * @param startedAtMs before the commit was sent
   */
  written(key: string, committed: Stamped<Value | null>, startedAtMs: number): void {
    const entry = this.#entryOf(committed, startedAtMs);
    if (this.#remember(key, entry)) this.#scope.afterResponse(() => this.#kv.write(key, entry));
  }

  /**
   * Puts the primary's row over whatever lies in KV.
   * **Errors**: `unavailable` when KV did not take it: repeat. **Cost**: `load` and 1 KV write.
   */
  async refresh(key: string, load: Load<Value>): Promise<void> {
    await inSpan("cache.refresh", {}, () => this.#putPrimarys(key, load));
  }

  async #putPrimarys(key: string, load: Load<Value>): Promise<void> {
    const readAtMs = this.#scope.clock();
    const entry = this.#entryOf(await load("primary"), readAtMs);
    const newest = this.#remember(key, entry) ? entry : (this.#known(key)?.entry ?? entry);
    const isWritten = await this.#kv.write(key, newest, { isForced: true });
    if (!isWritten) throw new AppError("unavailable", "KV did not take the refreshed entry");
  }

  async #readThrough(key: string, load: Load<Value>): Promise<Value | null> {
    const { calls, clock } = this.#scope;
    const known = this.#known(key);
    const stored = await this.#kv.readEntry(key);
    if (stored !== null && this.#mayAnswer(stored.entry) && !this.#isOutdated(key, stored.entry)) {
      calls.cache = "kv";
      this.#remember(key, stored.entry, stored.length);
      return stored.entry.value;
    }
    const isRefused = stored !== null || (known !== null && this.#isServed(known));
    calls.cache = isRefused ? "stale-refused" : "miss";
    const readAtMs = clock();
    const loaded = await load(this.#readFrom(key));
    return this.#fill(key, {
      ...{ loaded, readAtMs, load },
      replaced: stored?.entry ?? null,
      isRepeated: known !== null,
    });
  }

  /** Remembers what D1 answered, unless the isolate has come to know better meanwhile, and answers with the newer. */
  #fill(
    key: string,
    read: {
      readonly loaded: Stamped<Value | null>;
      readonly readAtMs: number;
      readonly load: Load<Value>;
      readonly replaced: CacheEntry<Value> | null;
      readonly isRepeated: boolean;
    },
  ): Value | null {
    const { loaded, readAtMs, load, replaced, isRepeated } = read;
    const entry = this.#entryOf(loaded, readAtMs);
    if (!this.#remember(key, entry)) return this.#known(key)?.entry.value ?? null;
    // That a row does not exist is remembered for seconds, in memory alone; but a row that KV still shows is buried. A row
    // that is read once is not put: a KV write costs what five thousand rows of D1 do.
    const isWorthKeeping =
      entry.value === null ? replaced !== null && replaced.value !== null : replaced !== null || isRepeated;
    if (isWorthKeeping && !this.#isMadeUp(loaded)) {
      const isAsGoodAsAny = loaded.isFromPrimary || this.#kv.refusesWrites();
      this.#scope.afterResponse(() =>
        isAsGoodAsAny ? this.#kv.write(key, entry) : this.#keep(key, entry, load),
      );
    }
    return entry.value;
  }

  /**
   * Puts the primary's row into KV in place of the replica's, which would have to go after a minute: who reads it
   * steadily, far from the primary, would then wait for D1 each minute. While the primary does not answer, the
   * replica's must do.
   */
  async #keep(key: string, fromReplica: CacheEntry<Value>, load: Load<Value>): Promise<void> {
    const readAtMs = this.#scope.clock();
    const loaded = await load("primary").catch((error: unknown) => {
      this.#scope.log.log("warn", "cache.primary_unread", { error });
      return null;
    });
    const entry = loaded === null ? fromReplica : this.#entryOf(loaded, readAtMs);
    if (this.#remember(key, entry)) await this.#kv.write(key, entry);
  }

  /**
   * Whether the client's bookmark lies ahead of the primary itself, so that nobody gave it out. Whoever sends such a
   * one pays with a read of the primary each time, and nobody pays with a KV write.
   */
  #isMadeUp(loaded: Stamped<unknown>): boolean {
    const asked = this.#scope.clientBookmark;
    return asked !== null && loaded.isFromPrimary && isOlder(loaded, { bookmark: asked });
  }

  #readFrom(key: string): ReadFrom {
    if (this.#scope.clientBookmark !== null) return "primary";
    const bookmark = this.#known(key)?.entry.bookmark ?? null;
    return bookmark === null ? "nearest" : { notBefore: bookmark };
  }

  #fromMemory(key: string): CacheEntry<Value> | null {
    const known = this.#known(key);
    return known !== null && this.#isServed(known) && this.#mayAnswer(known.entry) ? known.entry : null;
  }

  /** The value that another request of this isolate is fetching, or null when none came in time. */
  async #fromAnotherRequest(key: string): Promise<CacheEntry<Value> | null> {
    let stepMs = SHARE_STEP_MS;
    let waitedMs = 0;
    while (waitedMs < SHARE_WAIT_MAX_MS && this.#isRead(key)) {
      await this.#pause(stepMs);
      const entry = this.#fromMemory(key);
      if (entry !== null) return entry;
      waitedMs += stepMs;
      stepMs = Math.min(stepMs * 2, SHARE_STEP_MAX_MS);
    }
    return null;
  }

  /** Whether some request of this isolate is reading it just now. */
  #isRead(key: string): boolean {
    return this.#memory.inFlight.isMarked(key, this.#scope.clock());
  }

  #known(key: string): Known<Value> | null {
    return this.#memory.known.get(key, this.#scope.clock());
  }

  #isServed({ entry, storedAtMs }: Known<Value>): boolean {
    const nowMs = this.#scope.clock();
    return nowMs >= storedAtMs && nowMs - storedAtMs < this.#timings.servedMaxMs && nowMs < entry.expiresAtMs;
  }

  /** An entry may answer a request without a bookmark, or one whose bookmark it is not behind. */
  #mayAnswer(entry: CacheEntry<Value>): boolean {
    const asked = this.#scope.clientBookmark;
    if (asked === null) return true;
    return entry.bookmark !== null && laterBookmark(entry.bookmark, asked) === entry.bookmark;
  }

  #isOutdated(key: string, entry: CacheEntry<Value>): boolean {
    const known = this.#known(key);
    return known !== null && isOlder(entry, known.entry);
  }

  /** False when the isolate knows a newer state, which stays. */
  #remember(key: string, entry: CacheEntry<Value>, textLength?: number): boolean {
    if (this.#isOutdated(key, entry)) return false;
    const length = textLength ?? encodeEntry(entry, this.#format).length;
    const storedAtMs = this.#scope.clock();
    this.#memory.known.set(key, { entry, storedAtMs }, bytesOf(key, length), storedAtMs);
    return true;
  }

  #entryOf(read: Stamped<Value | null>, readAtMs: number): CacheEntry<Value> {
    const { value, bookmark, isFromPrimary } = read;
    const nowMs = this.#scope.clock();
    const life = { ttlSeconds: this.#ttlSeconds, timings: this.#timings };
    const expiresAtMs = expiryOf({ readAtMs, nowMs, isFromPrimary, ...life });
    return { value, bookmark, readAtMs, expiresAtMs };
  }
}

/** Two bytes a character at most, and what a map and its objects take beside. */
function bytesOf(key: string, textLength: number): number {
  return 2 * (key.length + textLength) + 300;
}
