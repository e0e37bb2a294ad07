/** Where the gauges of a scrape and the answer of `/readyz` come from. */
import type { Database } from "../../../platform/database";
import { checkHealth, type HealthReport, recentHealth } from "../../../platform/health";
import { pingLimiter } from "../../../platform/limiter";
import { oldestDueMs, readBacklog } from "../../../platform/outbox";
import type { Scope } from "../../../platform/scope";
import { flushContext } from "./isolate-metrics";
import type { ReportSources } from "./report";

interface SourcesFoundation {
  readonly env: Env;
  readonly database: Database;
  readonly scope: Scope;
}

export function reportSources({ env, database, scope }: SourcesFoundation): ReportSources & {
  /** The report of a second ago at most, or of ten seconds ago while another request probes. */
  readonly recentHealth: () => Promise<HealthReport>;
} {
  const { clock, log } = scope;
  const health = () =>
    checkHealth({
      oldestDueMs: () => oldestDueMs(database),
      kv: () => env.USER_CACHE.get("health"),
      limiter: () => pingLimiter(env, scope),
      version: env.VERSION.id,
      ...{ clock, log },
    });
  return {
    ...{ bindings: env, flush: flushContext(env, scope), health, clock, log },
    backlog: () => readBacklog(database),
    recentHealth: () => recentHealth(env, clock, health),
  };
}
