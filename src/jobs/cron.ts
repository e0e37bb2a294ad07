/** What the cron does each minute. Every task is bounded, and one that fails does not keep the others from running. */

import type { Config } from "../platform/env";
import type { Outbox } from "../platform/outbox";
import type { Scope } from "../platform/scope";
import type { AuthService } from "../services/auth";
import type { EventService } from "../services/operations/events";
import { metrics } from "../services/operations/metrics/isolate-metrics";
import type { OrderExpiry } from "../services/orders";
import type { WebhookService } from "../services/webhooks";
import type { Watchman } from "./alerts/watchman";

/** What the cron runs: the services, and what only the cron needs. */
export interface CronServices {
  readonly services: {
    readonly outbox: Pick<Outbox, "sweep">;
    readonly auth: Pick<AuthService, "removeExpired">;
    readonly events: Pick<EventService, "expire">;
    readonly webhooks: Pick<WebhookService, "expire">;
    /** Deletes counts that have left their window; returns how many. */
    readonly sweepAttemptCounts: () => Promise<number>;
    /** Deletes expired records; returns how many. */
    readonly sweepIdempotencyRecords: () => Promise<number>;
  };
  readonly orderExpiry: OrderExpiry;
  /** Judges the alert rules. */
  readonly watchman: Watchman;
}

export async function runScheduled(cron: CronServices, config: Config, scope: Scope): Promise<void> {
  const { services } = cron;
  const tasks: Readonly<Record<string, () => Promise<unknown>>> = {
    // Before the sweep, which then sends the events of what has expired.
    expireOrders: () => cron.orderExpiry.run(),
    sweep: () => services.outbox.sweep(),
    expireSessions: () => services.auth.removeExpired(),
    sweepAttemptCounts: () => services.sweepAttemptCounts(),
    sweepIdempotencyRecords: () => services.sweepIdempotencyRecords(),
    expireEvents: () => services.events.expire(config.EVENT_RETENTION_DAYS),
    expireWebhookAttempts: () => services.webhooks.expire(config.EVENT_RETENTION_DAYS),
    // Last, so that it sees what the others have just counted.
    judgeAlerts: () => cron.watchman.run(),
  };
  for (const [task, run] of Object.entries(tasks)) {
    try {
      scope.log.log("info", "cron", { task, result: await run() });
      metrics().count("cron_runs_total", { task, outcome: "done" });
    } catch (error) {
      scope.log.log("error", "cron.failed", { task, error });
      metrics().count("cron_runs_total", { task, outcome: "failed" });
    }
  }
}
