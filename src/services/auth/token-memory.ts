/**
 * Tokens whose signature was verified already: a repeated token costs a look into a map instead of a signature, or a
 * digest. Another token, be it one bit apart, is not found. Tokens lie in the isolate's memory for as long as they are
 * good, beside the keys that sign them: a digest would hide nothing from who can read that.
 */
import { MemoryCache } from "../../platform/cache/memory-cache";

const ENTRIES_MAX = 10_000;
/** Sum of the keys' lengths, in characters of a byte: ours have about 600, those of other issuers up to 8,192. */
const LENGTH_MAX = 8 * 1024 * 1024;

/** Values only: one memory may serve all requests of an isolate. */
export class TokenMemory<Value> {
  readonly #known: MemoryCache<{ readonly value: Value; readonly expiresAt: number }>;

  constructor({ entriesMax = ENTRIES_MAX, lengthMax = LENGTH_MAX } = {}) {
    this.#known = new MemoryCache({ entriesMax, bytesMax: lengthMax, ageMaxMs: Number.POSITIVE_INFINITY });
  }

  /** The value, or null when it is unknown or its time is over. */
  recall(key: string, nowMs: number): Value | null {
    const known = this.#known.get(key, nowMs);
    if (known === null) return null;
    if (nowMs < known.expiresAt) return known.value;
    this.#known.delete(key);
    return null;
  }

  /** @param life epoch milliseconds: now, and from when it counts no more. Past a bound what was asked for longest ago makes room. */
  remember(key: string, value: Value, life: { readonly nowMs: number; readonly expiresAt: number }): void {
    this.#known.set(key, { value, expiresAt: life.expiresAt }, key.length, life.nowMs);
  }

  get size(): number {
    return this.#known.size.entries;
  }
}
