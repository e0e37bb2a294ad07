/**
 * A small map in isolate memory: bounded in entries, in bytes and in age, dropping what was used longest ago. It lives
 * at module scope over many requests, so it holds values only, never promises.
 */
interface Held<Value> {
  readonly value: Value;
  readonly bytes: number;
  readonly storedAtMs: number;
}

export class MemoryCache<Value> {
  readonly #held = new Map<string, Held<Value>>();
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  readonly #ageMaxMs: number;
  #bytes = 0;

  /** @param options.bytesMax bound on the sum of the sizes that `set` is told */
  constructor(options: {
    readonly entriesMax: number;
    readonly bytesMax: number;
    readonly ageMaxMs: number;
  }) {
    this.#entriesMax = options.entriesMax;
    this.#bytesMax = options.bytesMax;
    this.#ageMaxMs = options.ageMaxMs;
  }

  /** How many entries are held, and how many bytes they were said to have. */
  get size(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#held.size, bytes: this.#bytes };
  }

  get(key: string, nowMs: number): Value | null {
    const held = this.#held.get(key);
    if (held === undefined) return null;
    this.delete(key);
    if (nowMs - held.storedAtMs >= this.#ageMaxMs || nowMs < held.storedAtMs) return null;
    this.#hold(key, held);
    return held.value;
  }

  /** @param bytes an estimate; what is larger than the whole cache is not kept */
  set(key: string, value: Value, bytes: number, nowMs: number): void {
    this.delete(key);
    this.#hold(key, { value, bytes, storedAtMs: nowMs });
    for (const oldest of this.#held.keys()) {
      if (this.#held.size <= this.#entriesMax && this.#bytes <= this.#bytesMax) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    this.#bytes -= this.#held.get(key)?.bytes ?? 0;
    this.#held.delete(key);
  }

  /** Inserting makes it the youngest: a Map iterates in order of insertion. */
  #hold(key: string, held: Held<Value>): void {
    this.#held.set(key, held);
    this.#bytes += held.bytes;
  }
}
