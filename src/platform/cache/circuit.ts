/**
 * A circuit breaker in isolate memory: after several failures in a row a service is left alone for a while, then one
 * call tries it. Numbers only, so it may outlive a request.
 *
 *     closed --failuresMax in a row--> open --openMs--> one probe --success--> closed
 *                                       ^------------------failure-----'
 */
export class Circuit {
  readonly #failuresMax: number;
  readonly #openMs: number;
  #failures = 0;
  #openUntilMs = 0;

  constructor(options: { readonly failuresMax: number; readonly openMs: number }) {
    this.#failuresMax = options.failuresMax;
    this.#openMs = options.openMs;
  }

  /** Whether to call. Once the time is over it lets a single probe through, for a request may end without a result. */
  allows(nowMs: number): boolean {
    if (!this.isOpen()) return true;
    if (nowMs < this.#openUntilMs) return false;
    this.#openUntilMs = nowMs + this.#openMs;
    return true;
  }

  /** Whether calls are kept back, but for the probes. */
  isOpen(): boolean {
    return this.#failures >= this.#failuresMax;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /** True when this failure opened the circuit. */
  failed(nowMs: number): boolean {
    this.#failures += 1;
    if (!this.isOpen()) return false;
    this.#openUntilMs = nowMs + this.#openMs;
    return this.#failures === this.#failuresMax;
  }
}
