/** One version on its way: its share of the requests so far, and the way back. */
import { rollBack, servingVersions, split, textOf } from "./versions.mjs";

const BACK_TRIES = 3;
const BACK_PAUSE_MS = 5_000;
const STATUS_TRIES = 3;
const STATUS_PAUSE_MS = 2_000;

/** Another deployment came in between. To go on, or back, would undo it. */
class Overtaken extends Error {
  constructor() {
    super("Another deployment has come in between, and stays as it is: npx wrangler deployments status");
  }
}

export class Progress {
  #run;
  #options;
  /** Texts of the splits that may be in place. They are two while wrangler is at work: a lost answer leaves it open. */
  #possible;
  #isSplit = false;

  /**
   * @param {import("./versions.mjs").Runner} run
   * @param {object} options
   * @param {string} options.worker
   * @param {string} options.running id of the version that served every request
   * @param {string} options.next id of the new version
   * @param {(ms: number, signal?: AbortSignal) => Promise<unknown>} options.sleep
   * @param {AbortSignal} options.interrupted
   */
  constructor(run, options) {
    this.#run = run;
    this.#options = options;
    this.#possible = [textOf([{ id: options.running, percent: 100 }])];
  }

  /**
   * Gives the new version a share of the requests.
   *
   * @param {number} percent
   * @param {boolean} [isWatched]
   * **Errors**: what wrangler says; the interruption; that another deployment came in between
   */
  async to(percent, isWatched = false) {
    const { running, next, interrupted } = this.#options;
    interrupted.throwIfAborted();
    await this.#refuseOvertaking();
    const wanted = textOf([
      { id: next, percent },
      { id: running, percent: 100 - percent },
    ]);
    this.#possible.push(wanted);
    this.#isSplit = true;
    await split(this.#run, { running, next, percent, isWatched });
    this.#possible = [wanted];
    interrupted.throwIfAborted();
  }

  async #refuseOvertaking() {
    for (let tries = 0; tries < STATUS_TRIES; tries += 1) {
      if (await this.#isOurs()) return;
      await this.#options.sleep(STATUS_PAUSE_MS, this.#options.interrupted);
    }
    throw new Overtaken();
  }

  async #isOurs() {
    return this.#possible.includes(textOf(await servingVersions(this.#run)));
  }

  /**
   * Runs the steps. When one fails, every request goes to the old version again.
   *
   * @param {() => Promise<void>} steps
   * **Errors**: why it failed, and which version serves now
   */
  async orBack(steps) {
    try {
      await steps();
    } catch (error) {
      if (error instanceof Overtaken) throw error;
      const { interrupted } = this.#options;
      const { message } = interrupted.aborted ? interrupted.reason : error;
      throw new Error(`${message}\n${await this.#back(message)}`);
    }
  }

  /** Returns what serves now, or what to do. */
  async #back(reason) {
    const { running, next, worker, sleep } = this.#options;
    if (!this.#isSplit) return `Nothing has changed: version ${running} serves every request.`;
    // When it cannot be read what serves, the old version is the safe choice.
    if (!(await this.#isOurs().catch(() => true))) return new Overtaken().message;
    for (let tries = 0; tries < BACK_TRIES; tries += 1) {
      if (tries > 0) await sleep(BACK_PAUSE_MS);
      if (await rollBack(this.#run, running, reason)) return `Version ${running} serves every request again.`;
    }
    return (
      `GOING BACK FAILED: version ${next} may still get requests. ` +
      `Run: npx wrangler rollback ${running} --name ${worker} --yes`
    );
  }
}
