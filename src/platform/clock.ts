/** The wall clock and randomness of the platform: the only place that reads them. */
import type { Clock } from "../kernel/clock";
import { type NewId, uuidV7 } from "../kernel/ids";

export const systemClock: Clock = () => Date.now();

export const newId: NewId = () => uuidV7(Date.now(), randomBytes(10));

export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** Uniform in [0, 1). For jitter, never for secrets. */
export function randomFraction(): number {
  return Math.random();
}
