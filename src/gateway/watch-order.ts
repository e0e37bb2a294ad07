/** An order as it changes, read again and again: D1 notifies no one of a change. */
import type { Outcome } from "../kernel/errors";
import type { Order } from "../services/orders";

const INTERVAL_MS = 1_000;
/**
 * Then the stream ends without error. A client that still watches calls again, and is charged and checked again: within a
 * minute, because a revoked token must be of no use by then.
 */
const READS_MAX = 50;

/**
 * Yields the order now and after each change, until it can change no more, `signal` says stop, or `READS_MAX` reads were
 * made. A refusal, such as of an order that is gone, is the last. **Cost**: 1 D1 round trip a second.
 */
export async function* watchOrder(
  get: () => Promise<Outcome<Order>>,
  signal: AbortSignal,
): AsyncGenerator<Outcome<Order>> {
  let seen = 0;
  for (let read = 1; read <= READS_MAX && !signal.aborted; read += 1) {
    const outcome = await get();
    if (!outcome.ok) return yield outcome;
    const { version, status } = outcome.value;
    if (version > seen) yield outcome;
    seen = version;
    if (isEnd(status) || read === READS_MAX) return;
    await pause(INTERVAL_MS, signal);
  }
}

/** From these no transition leads on. */
function isEnd(status: Order["status"]): boolean {
  return status === "cancelled" || status === "refunded";
}

/** Ends early, without error, when the signal says so. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await scheduler.wait(ms, { signal }).catch(() => undefined);
}
