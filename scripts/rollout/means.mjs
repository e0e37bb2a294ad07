/** What a rollout uses of the world, so that tests play it: HTTP, time, and signals. */
import { setTimeout } from "node:timers/promises";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * @typedef {object} Means
 * @property {typeof globalThis.fetch} fetch
 * @property {() => number} clock epoch milliseconds
 * @property {(ms: number, signal?: AbortSignal) => Promise<unknown>} sleep rejects when the signal is aborted
 * @property {<T>(work: (interrupted: AbortSignal) => Promise<T>) => Promise<T>} interruptible runs work that decides
 *   itself what an interruption means
 */

/** @type {Means} */
export const MEANS = {
  fetch: globalThis.fetch,
  clock: Date.now,
  sleep: (ms, signal) => setTimeout(ms, undefined, { signal }),
  async interruptible(work) {
    const controller = new AbortController();
    const stop = (name) => {
      process.stdout.write("Stopping: the running version gets every request again. Please wait.\n");
      controller.abort(new Error(`Stopped by ${name === "SIGINT" ? "Ctrl-C" : name}.`));
    };
    for (const name of SIGNALS) process.on(name, stop);
    try {
      return await work(controller.signal);
    } finally {
      for (const name of SIGNALS) process.off(name, stop);
    }
  },
};
