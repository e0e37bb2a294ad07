/** Time as an argument: nothing outside `platform/` reads the wall clock by itself. */

/** Milliseconds since the Unix epoch. When deployed it stands still between I/O. */
export type Clock = () => number;

/** RFC 3339 in UTC with milliseconds, as in every answer. */
export function toTimestamp(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** The UTC day as `YYYY-MM-DD`. */
export function toDay(epochMs: number): string {
  return toTimestamp(epochMs).slice(0, 10);
}
