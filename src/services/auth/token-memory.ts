/**
 * Tokens whose signature was verified already, by the digest of the whole token: a repeated token costs one SHA-256
 * instead of a signature. The token itself is not kept, and another token, be it one bit apart, is not found.
 */
import { sha256Text } from "../../platform/encoding";

/** About 300 bytes an entry: 3 MB at most. */
const ENTRIES_MAX = 10_000;

/** Values only: one memory may serve all requests of an isolate. */
export class TokenMemory<Value> {
  readonly #entries = new Map<string, { readonly value: Value; readonly expiresAt: number }>();
  readonly #max: number;

  constructor(max: number = ENTRIES_MAX) {
    this.#max = max;
  }

  static keyOf(token: string): string {
    return sha256Text(token);
  }

  /** The value, or null when it is unknown or its time is over. */
  recall(key: string, nowMs: number): Value | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    if (nowMs < entry.expiresAt) return entry.value;
    this.#entries.delete(key);
    return null;
  }

  /** @param expiresAt epoch milliseconds from which the entry counts no more. At the maximum the oldest makes room. */
  remember(key: string, value: Value, expiresAt: number): void {
    this.#entries.delete(key);
    if (this.#entries.size >= this.#max) {
      const oldest = this.#entries.keys().next();
      if (oldest.done !== true) this.#entries.delete(oldest.value);
    }
    this.#entries.set(key, { value, expiresAt });
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }

  get size(): number {
    return this.#entries.size;
  }
}
