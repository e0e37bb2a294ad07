/**
 * Where one request leaves a value for another that waits.
 *
 * A promise that hangs on another request's I/O must not be awaited in workerd. Since compatibility date 2024-10-14
 * (`handle_cross_request_promise_resolution`) a request may *resolve* a promise that another one made, and what follows
 * runs in the context of the one that made it. Vitest's workers integration switches that off, and a waiter that is
 * woken there dies; so without the flag the waiter looks into its box by timers of its own.
 */
import type { Sleep } from "./silence";

/** Between two looks where nobody may wake the waiter. */
const LOOK_MS = 2;

export class Letterbox<Value> {
  readonly #isWakeable: boolean;
  readonly #arrival = Promise.withResolvers<void>();
  #value: Value | undefined;

  /** @param isWakeable whether other requests may resolve a promise of this one: `canWakeOthers()` */
  constructor(isWakeable: boolean) {
    this.#isWakeable = isWakeable;
  }

  /** Called by any request, once. */
  post(value: Value): void {
    this.#value = value;
    if (this.#isWakeable) this.#arrival.resolve();
  }

  /** Called by the request that made the box. Undefined when nothing came in about so many milliseconds. */
  async wait(sleep: Sleep, ms: number): Promise<Value | undefined> {
    if (this.#isWakeable) {
      const pause = sleep(ms);
      await Promise.race([this.#arrival.promise, pause]);
      pause.cancel?.();
      return this.#value;
    }
    for (let waited = 0; waited < ms && this.#value === undefined; waited += LOOK_MS) await sleep(LOOK_MS);
    return this.#value;
  }
}

/** What the runtime allows. Source: developers.cloudflare.com/workers/configuration/compatibility-flags */
export function canWakeOthers(): boolean {
  return Cloudflare.compatibilityFlags.handle_cross_request_promise_resolution === true;
}
