/**
 * A small map in isolate memory: bounded in entries, in age, and dropping what was used longest ago. It lives at module
 * scope over many requests, so it holds values only, never promises.
 */
export class MemoryCache<Value> {
  readonly #entries = new Map<string, { readonly value: Value; readonly storedAt: number }>();
  readonly #entriesMax: number;
  readonly #ageMaxMs: number;

  constructor(options: { readonly entriesMax: number; readonly ageMaxMs: number }) {
    this.#entriesMax = options.entriesMax;
    this.#ageMaxMs = options.ageMaxMs;
  }

  get(key: string, nowMs: number): Value | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    this.#entries.delete(key);
    if (nowMs - entry.storedAt >= this.#ageMaxMs || nowMs < entry.storedAt) return null;
    // Re-inserting makes it the youngest: a Map iterates in order of insertion.
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: Value, nowMs: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, storedAt: nowMs });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#entriesMax) break;
      this.#entries.delete(oldest);
    }
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
