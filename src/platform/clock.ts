/** The wall clock and randomness of the platform: the only place that reads them. */
import type { Clock } from "../kernel/clock";
import { type NewId, uuidV7 } from "../kernel/ids";

export const systemClock: Clock = () => Date.now();

export const newId: NewId = () => uuidV7(Date.now(), drawRandom(10));

export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** Drawn from in order, and filled anew when it is used up: every request draws for its ids. */
const pool = new Uint8Array(4_096);
let drawn = pool.length;

/** As `randomBytes`, but lent: to be read at once, for later draws overwrite it. For ids, which are no secrets. @param length up to 4096 */
export function drawRandom(length: number): Uint8Array {
  if (drawn + length > pool.length) {
    crypto.getRandomValues(pool);
    drawn = 0;
  }
  drawn += length;
  return pool.subarray(drawn - length, drawn);
}

/** Uniform in [0, 1). For jitter, never for secrets. */
export function randomFraction(): number {
  return Math.random();
}
