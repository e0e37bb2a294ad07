/** Time that passes only when every pending step has been taken: histories of minutes run in milliseconds, all alike. */
export class VirtualTime {
  nowMs = 0;
  readonly #due: { atMs: number; order: number; wake: () => void }[] = [];
  #order = 0;

  readonly sleep = (ms: number): Promise<void> => {
    return new Promise((wake) => {
      this.#due.push({ atMs: this.nowMs + ms, order: this.#order++, wake });
    });
  };

  /** Until nothing is left to happen. */
  async run(): Promise<void> {
    await settle();
    while (this.#due.length > 0) {
      let next = 0;
      for (let index = 1; index < this.#due.length; index += 1) {
        if (this.#isBefore(index, next)) next = index;
      }
      const [step] = this.#due.splice(next, 1);
      if (step === undefined) return;
      this.nowMs = Math.max(this.nowMs, step.atMs);
      step.wake();
      await settle();
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [left, right] = [this.#due[a], this.#due[b]];
    if (left === undefined || right === undefined) return false;
    return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
  }
}

/** More turns of the microtask queue than any step of the cache takes between two waits. */
const TURNS = 30;

async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await null;
}

/** Numbers in [0, 1) that depend on the seed alone. Source: mulberry32, public domain. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
