/** Time that only events move: timers fire in order, and all that can run has run before the next one. */
export class VirtualTime {
  now: number;
  #sequence = 0;
  #events: { readonly at: number; readonly sequence: number; readonly run: () => void }[] = [];

  constructor(start: number) {
    this.now = start;
  }

  /** Runs something at a time; in order of calls at the same time. */
  at(time: number, run: () => void): void {
    const event = { at: Math.max(time, this.now), sequence: this.#sequence, run };
    this.#sequence += 1;
    let index = this.#events.length;
    // Latest first, so that the next event is at the end.
    while (index > 0 && isLater(event, this.#events[index - 1])) index -= 1;
    this.#events.splice(index, 0, event);
  }

  sleep = (ms: number): Promise<void> => new Promise((wake) => this.at(this.now + ms, wake));

  /** Runs until nothing is left to happen, or the time is reached. */
  async run(until = Number.POSITIVE_INFINITY): Promise<void> {
    await drain();
    for (;;) {
      const next = this.#events.at(-1);
      if (next === undefined || next.at > until) break;
      this.#events.pop();
      this.now = next.at;
      next.run();
      await drain();
    }
    if (until !== Number.POSITIVE_INFINITY) this.now = Math.max(this.now, until);
  }
}

function isLater(
  event: { readonly at: number; readonly sequence: number },
  other: { readonly at: number; readonly sequence: number } | undefined,
): boolean {
  if (other === undefined) return false;
  return event.at > other.at || (event.at === other.at && event.sequence > other.sequence);
}

/** Longer than any chain of promises between two events. */
const TURNS = 40;

async function drain(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await undefined;
}
