/** The wall clock and randomness of the platform: the only place that reads them. */
import type { Clock } from "../kernel/clock";
import { type NewId, uuidV7 } from "../kernel/ids";
import { kept } from "./isolate";

export const systemClock: Clock = () => Date.now();

export const newId: NewId = () => uuidV7(Date.now(), drawRandom(10));

export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

const POOL_BYTES = 4_096;
/** Random bytes that are drawn in order, and replaced when they are used up: every request draws for its ids. */
const pool = kept(() => ({ bytes: new Uint8Array(POOL_BYTES), drawn: POOL_BYTES }));

/** As `randomBytes`, but lent: to be read at once, for later draws overwrite it. For ids, which are no secrets. @param length up to 4096 */
export function drawRandom(length: number): Uint8Array {
  const source = pool();
  if (source.drawn + length > POOL_BYTES) {
    crypto.getRandomValues(source.bytes);
    source.drawn = 0;
  }
  source.drawn += length;
  return source.bytes.subarray(source.drawn - length, source.drawn);
}

/** Uniform in [0, 1). For jitter, never for secrets. */
export function randomFraction(): number {
  return Math.random();
}
