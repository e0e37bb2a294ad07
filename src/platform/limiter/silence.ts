/** How long an object may take, and what is done when it fails or says nothing. */
import { AppError } from "../../kernel/errors";

/** The object is silent when it has not answered for so long of an event loop that came round. */
export const SILENCE_MS = 3_000;
const TICK_MS = 100;
/** An object fails for a moment when it moves or its code is replaced: once more, then. */
const SENDS_MAX = 2;

export const SILENT = Symbol("silent");

/** Resolves after about so many milliseconds. Who has stopped waiting cancels: a timer wakes the isolate for nothing. */
export interface Pause extends Promise<void> {
  cancel?(): void;
}
export type Sleep = (ms: number) => Pause;

export const systemSleep: Sleep = (ms) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  return Object.assign(promise, { cancel: () => clearTimeout(timer) });
};

/**
 * The result, or `SILENT` after `SILENCE_MS`, counted in ticks. A busy isolate stretches its ticks and so its
 * patience: what stands still here is no silence of the object's, so a slow machine alone never opens the gate.
 * @param onTick called at least once a tick while it waits
 */
export async function untilSilent<T>(
  work: Promise<T>,
  sleep: Sleep,
  onTick: () => void = () => undefined,
): Promise<T | typeof SILENT> {
  const settled = work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  for (let tick = 0; tick * TICK_MS < SILENCE_MS; tick += 1) {
    const pause = sleep(TICK_MS);
    const result = await Promise.race([settled, pause]);
    pause.cancel?.();
    onTick();
    if (result === undefined) continue;
    if ("error" in result) throw result.error;
    return result.value;
  }
  return SILENT;
}

/**
 * As `untilSilent`, and sends a second time after an error that may pass. Only for calls that may be repeated.
 * @param send starts the call anew, on a fresh stub: one that failed stays broken
 * **Errors**: the call's own, when it failed for good.
 */
export async function sendUntilSilent<T>(
  send: () => Promise<T>,
  sleep: Sleep,
  onTick?: () => void,
): Promise<T | typeof SILENT> {
  for (let sends = 1; ; sends += 1) {
    try {
      return await untilSilent(send(), sleep, onTick);
    } catch (error) {
      if (sends >= SENDS_MAX || !isPassing(error)) throw error;
    }
  }
}

/** Source: developers.cloudflare.com/durable-objects/best-practices/error-handling: `retryable`, never when `overloaded`. */
function isPassing(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  return "retryable" in error && error.retryable === true && !("overloaded" in error && error.overloaded);
}

const RETRY_AFTER_SECONDS = 5;

export function objectUnavailable(message: string, cause?: unknown): AppError {
  return new AppError("unavailable", message, { retryAfterSeconds: RETRY_AFTER_SECONDS, cause });
}
