/** What the cron does about alerts each minute: look, decide, write down, tell. */
import {
  type AlertShelf,
  decideAlerts,
  type Notice,
  type Sample,
  withoutSent,
  withSample,
} from "../../platform/observability/alerts";
import type { Scope } from "../../platform/scope";
import type { Figures } from "./figures";
import type { Notify } from "./notifier";
import { judgeRules } from "./rules";

interface WatchmanOptions {
  readonly shelf: AlertShelf;
  readonly measure: () => Promise<Figures>;
  /** Null when nobody wants to be told (`ALERT_TO` is empty): then nothing is measured either. */
  readonly notify: Notify | null;
  readonly scope: Pick<Scope, "clock" | "log">;
}

export interface WatchReport {
  readonly told: number;
  readonly untold: number;
}

export class Watchman {
  readonly #on: WatchmanOptions;

  constructor(options: WatchmanOptions) {
    this.#on = options;
  }

  /**
   * Decided and written before anybody is told, so that of two ticks at once one tells, and what could not be told is
   * told by the next: at least once, under an id that stays.
   * **Errors**: `unavailable`. **Cost**: a scrape's, 3 object calls and, when something has changed, one message each.
   */
  async run(): Promise<WatchReport> {
    const { shelf, measure, notify, scope } = this.#on;
    if (notify === null) return { told: 0, untold: 0 };
    const [book, figures] = await Promise.all([shelf.read(), measure()]);
    const sample: Sample = { atMs: scope.clock(), figures };
    const decided = decideAlerts(book, sample, judgeRules(withSample(book.samples, sample)));
    if (!(await shelf.write(decided))) return { told: 0, untold: 0 };
    const sent = await this.#tell(decided.unsent, notify);
    if (sent.length > 0) await shelf.write(withoutSent(decided, sent));
    return { told: sent.length, untold: decided.unsent.length - sent.length };
  }

  async #tell(notices: readonly Notice[], notify: Notify): Promise<Notice[]> {
    const { log } = this.#on.scope;
    const sent: Notice[] = [];
    for (const notice of notices) {
      const { alert, status, summary } = notice;
      try {
        await notify(notice);
        sent.push(notice);
        log.log("warn", "alert", { alert, status, summary });
      } catch (error) {
        log.log("error", "alert.untold", { alert, status, summary, error });
      }
    }
    return sent;
  }
}
