/** Durations on the command line: `30s`, `5m`, `1h`, and `0`. */

const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000 };
const DURATION_MAX_MS = 24 * UNITS_MS.h;

/**
 * Returns the milliseconds that a text names; undefined when it names none, or more than a day.
 *
 * @param {string} text
 * @returns {number | undefined}
 */
export function durationMs(text) {
  if (text === "0") return 0;
  const [, amount, unit] = /^([1-9]\d{0,4})([smh])$/.exec(text) ?? [];
  if (unit === undefined) return undefined;
  const ms = Number(amount) * UNITS_MS[unit];
  return ms <= DURATION_MAX_MS ? ms : undefined;
}

/** Returns milliseconds as a text that `durationMs` reads, rounded up to whole seconds, minutes or hours. */
export function durationText(ms) {
  if (ms === 0) return "0";
  if (ms <= UNITS_MS.m) return `${Math.ceil(ms / UNITS_MS.s)}s`;
  return ms <= UNITS_MS.h ? `${Math.ceil(ms / UNITS_MS.m)}m` : `${Math.ceil(ms / UNITS_MS.h)}h`;
}
