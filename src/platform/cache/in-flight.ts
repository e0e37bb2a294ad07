/**
 * Which keys some request of this isolate is reading just now. A promise must not be awaited by another request than
 * its own: it hangs when its request is cancelled. So what is shared is the mark (a number) and, in the cache, the
 * value; whoever waits does so by timers of its own, for a bounded time.
 * See docs/decisions/0051-requests-share-values-not-promises.md.
 */

/** A request that was cancelled never takes its mark away. */
const MARK_AGE_MAX_MS = 1_000;
const MARKS_MAX = 1_000;

export class InFlight {
  readonly #startedAtMs = new Map<string, number>();

  isMarked(key: string, nowMs: number): boolean {
    const startedAtMs = this.#startedAtMs.get(key);
    if (startedAtMs === undefined) return false;
    return nowMs >= startedAtMs && nowMs - startedAtMs < MARK_AGE_MAX_MS;
  }

  mark(key: string, nowMs: number): void {
    this.#startedAtMs.delete(key);
    this.#startedAtMs.set(key, nowMs);
    for (const oldest of this.#startedAtMs.keys()) {
      if (this.#startedAtMs.size <= MARKS_MAX) break;
      this.#startedAtMs.delete(oldest);
    }
  }

  unmark(key: string): void {
    this.#startedAtMs.delete(key);
  }
}
