/** The local database may be locked for a moment, because a running server or another script writes to it. */
import { setTimeout as sleep } from "node:timers/promises";

/** A server holds the database for milliseconds, an import for seconds. An attempt itself takes two or more. */
const ATTEMPTS_MAX = 8;
const PAUSE_MS = 500;

/** Another process holds the local database, and nothing was changed. */
export class DatabaseLocked extends Error {}

/** Whether a tool failed because of the lock: SQLite's name for it is in what the tool printed. */
export function isLocked({ code, output }) {
  return code !== 0 && output.includes("SQLITE_BUSY");
}

/**
 * Repeats work that ends with `DatabaseLocked`, with a pause in between.
 *
 * @template T
 * @param {() => Promise<T>} work
 * @param {{pause?: (ms: number) => Promise<unknown>, say?: (line: string) => unknown}} [on] for tests
 * @returns {Promise<T>}
 * **Errors**: the work's own; one line when the lock stays
 */
export async function whileLocked(work, { pause = sleep, say = warn } = {}) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DatabaseLocked)) throw error;
      if (attempt >= ATTEMPTS_MAX)
        throw new Error(
          `The local database is locked by another process (SQLITE_BUSY, ${attempt} attempts). Nothing was changed: end that process, or run this again later.`,
        );
    }
    if (attempt === 1) say("The local database is locked. Trying again ...");
    await pause(PAUSE_MS);
  }
}

function warn(line) {
  process.stderr.write(`${line}\n`);
}
