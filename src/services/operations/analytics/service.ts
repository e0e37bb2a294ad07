/** What happened, counted by day. */

import { toDay } from "../../../kernel/clock";
import { done, type Outcome, refuseInvalid } from "../../../kernel/errors";
import type { CloudEvent } from "../../../kernel/event";
import { authorize } from "../../../kernel/permissions";
import { type Analytics, checkDataPoint } from "../../../platform/analytics";
import type { Call } from "../../../platform/call";
import type { Database } from "../../../platform/database";
import type { Effect } from "../../../platform/outbox";
import type { Scope } from "../../../platform/scope";
import { AnalyticsRepository } from "./repository";
import type { SignupDay, SignupsQuery } from "./schemas";

const DAY_MS = 86_400_000;
const RANGE_DAYS_DEFAULT = 30;
const RANGE_DAYS_MAX = 366;

export class AnalyticsService {
  readonly #repository: AnalyticsRepository;
  readonly #analytics: Analytics;
  readonly #scope: Scope;

  constructor(database: Database, analytics: Analytics, scope: Scope) {
    this.#repository = new AnalyticsRepository(database);
    this.#analytics = analytics;
    this.#scope = scope;
  }

  /**
   * Sign-ups by UTC day, ascending; days without one are absent. Without a range: the last 30 days, today included.
   * **Errors**: `unauthenticated`, `forbidden`; `validation_failed` for an inverted range or one over 366 days.
   */
  async signups(call: Call, query: SignupsQuery): Promise<Outcome<readonly SignupDay[]>> {
    const { actor } = call;
    const permitted = authorize(actor, "analytics.read");
    if (!permitted.ok) return permitted;
    const to = query.to ?? toDay(this.#scope.clock());
    const from = query.from ?? toDay(Date.parse(to) - (RANGE_DAYS_DEFAULT - 1) * DAY_MS);
    const days = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
    if (days < 1) {
      return refuseInvalid({
        pointer: "#/query/from",
        code: "too_large",
        message: "Must not be after `to`.",
      });
    }
    if (days > RANGE_DAYS_MAX) {
      return refuseInvalid({
        pointer: "#/query/from",
        code: "too_small",
        message: `A range has at most ${RANGE_DAYS_MAX} days.`,
      });
    }
    return done(await this.#repository.signupDays({ from, to }));
  }

  /**
   * What a sign-up's event adds: exactly one to its UTC day's count, and a `user_signup` data point, which is lost if
   * the Worker dies right after the commit.
   */
  countSignup(event: CloudEvent): Effect {
    const day = event.time.slice(0, 10);
    const point = checkDataPoint({
      index: "user_signup",
      blobs: ["user_signup", day, event.id],
      doubles: [1],
    });
    return {
      statements: [this.#repository.addSignup(day)],
      afterCommit: () => this.#analytics.write(point),
    };
  }
}
