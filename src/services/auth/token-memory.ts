/**
 * Tokens whose signature was verified already: a repeated token costs a look into a map instead of a signature, or a
 * digest. Another token, be it one bit apart, is not found. Tokens lie in the isolate's memory for as long as they are
 * good, beside the keys that sign them: a digest would hide nothing from who can read that.
 */

const ENTRIES_MAX = 10_000;
/** Sum of the keys' lengths, in characters of a byte: ours have about 600, those of other issuers up to 8,192. */
const LENGTH_MAX = 8 * 1024 * 1024;

/** Values only: one memory may serve all requests of an isolate. */
export class TokenMemory<Value> {
  readonly #entries = new Map<string, { readonly value: Value; readonly expiresAt: number }>();
  readonly #entriesMax: number;
  readonly #lengthMax: number;
  #length = 0;

  constructor(bounds: { readonly entriesMax?: number; readonly lengthMax?: number } = {}) {
    this.#entriesMax = bounds.entriesMax ?? ENTRIES_MAX;
    this.#lengthMax = bounds.lengthMax ?? LENGTH_MAX;
  }

  /** The value, or null when it is unknown or its time is over. */
  recall(key: string, nowMs: number): Value | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    if (nowMs < entry.expiresAt) return entry.value;
    this.forget(key);
    return null;
  }

  /** @param expiresAt epoch milliseconds from which the entry counts no more. Past a bound the oldest make room. */
  remember(key: string, value: Value, expiresAt: number): void {
    this.forget(key);
    this.#entries.set(key, { value, expiresAt });
    this.#length += key.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#entriesMax && this.#length <= this.#lengthMax) break;
      this.forget(oldest);
    }
  }

  forget(key: string): void {
    if (this.#entries.delete(key)) this.#length -= key.length;
  }

  get size(): number {
    return this.#entries.size;
  }
}
