/** Whether what we stand on answers, and how fast. Degraded is not down: without all but D1 most requests are served. */
import { AppError } from "../kernel/errors";
import { onFirstCall } from "../kernel/on-first-call";
import { count, text } from "../kernel/output-fields";
import * as z from "../kernel/schema";
import { withDeadline } from "./deadline";
import { keptFor } from "./isolate";
import type { Logger } from "./observability/logger";

/**
 * - `d1`: the database.
 * - `kv`: the user cache; without it the database answers.
 * - `limiter`: an object of its class; without it the isolate admits from an allowance, and logins are refused.
 * - `outbox`: what was due to be sent has been sent. Its latency is the database's.
 */
const DEPENDENCIES = ["d1", "kv", "limiter", "outbox"] as const;
export type Dependency = (typeof DEPENDENCIES)[number];

/** A deployed Worker's clock moves with I/O, so `latencyMs` is the time of the call. */
const checkSchema = onFirstCall(() =>
  z.strictObject({ name: z.enum(DEPENDENCIES), isHealthy: z.boolean(), latencyMs: count() }),
);
export type Check = z.Model<typeof checkSchema>;

/** `version` lets a rollout know which version it tests. */
export const healthSchema = onFirstCall(() =>
  z.strictObject({
    version: text(100).check(z.describe("Id of the deployed version that answers.")),
    status: z.enum(["ok", "degraded", "down"]),
    checks: z.array(checkSchema()).check(z.maxLength(10)),
  }),
);
export type HealthReport = z.Model<typeof healthSchema>;

export interface Probes {
  /** Since when the oldest delivery has been due, epoch milliseconds; null when none is pending. */
  readonly oldestDueMs: () => Promise<number | null>;
  readonly kv: () => Promise<unknown>;
  readonly limiter: () => Promise<unknown>;
  readonly version: string;
  readonly clock: () => number;
  readonly log: Logger;
}

export const PROBE_DEADLINE_MS = 2_000;
/** The sweep sends what is due each minute: what has been due for longer stands still. */
const DUE_AGE_MAX_MS = 300_000;

/**
 * Probes all side by side, and logs why one does not answer. **Cost**: 1 D1 statement of 1 row, 1 KV read, 1 object call;
 * 2 s at most.
 */
export async function checkHealth(probes: Probes): Promise<HealthReport> {
  const { clock, version } = probes;
  let dueMs: number | null = null;
  const [d1, ...others] = await Promise.all([
    probe("d1", probes, async () => {
      dueMs = await probes.oldestDueMs();
    }),
    probe("kv", probes, probes.kv),
    probe("limiter", probes, probes.limiter),
  ]);
  const isSent = clock() - (dueMs ?? clock()) <= DUE_AGE_MAX_MS;
  const outbox: Check = { ...d1, name: "outbox", isHealthy: d1.isHealthy && isSent };
  const checks = [d1, ...others, outbox];
  const isDegraded = checks.some((check) => !check.isHealthy);
  return { version, status: !d1.isHealthy ? "down" : isDegraded ? "degraded" : "ok", checks };
}

async function probe(
  name: Dependency,
  { clock, log }: Probes,
  answers: () => Promise<unknown>,
): Promise<Check> {
  const startedAt = clock();
  let isHealthy = true;
  try {
    await withDeadline(answers(), PROBE_DEADLINE_MS, late);
  } catch (error) {
    isHealthy = false;
    log.log("warn", "health.failed", { dependency: name, error });
  }
  return { name, isHealthy, latencyMs: clock() - startedAt };
}

function late(): AppError {
  return new AppError("unavailable", "no answer in time");
}

const memoryOf = keptFor(() => new HealthMemory());

/** Returns what `check` found a second ago at most, or ten seconds ago while another request of the isolate checks. */
export async function recentHealth(
  env: object,
  clock: () => number,
  check: () => Promise<HealthReport>,
): Promise<HealthReport> {
  return await memoryOf(env).recall(clock, check);
}

const FRESH_MS = 1_000;
const STALE_MS = 10_000;

/**
 * What an isolate was last told, so that who asks without end costs one probe a second and not one each. A value, for
 * requests may not share a promise: while one probes, the others are told what held before, of ten seconds ago at most.
 */
export class HealthMemory {
  #last: { readonly report: HealthReport; readonly atMs: number } | null = null;
  #probingUntilMs = 0;

  async recall(clock: () => number, check: () => Promise<HealthReport>): Promise<HealthReport> {
    const now = clock();
    const ageMs = this.#last === null ? Number.POSITIVE_INFINITY : Math.abs(now - this.#last.atMs);
    const isEnough = ageMs < FRESH_MS || (ageMs < STALE_MS && now < this.#probingUntilMs);
    if (this.#last !== null && isEnough) return this.#last.report;
    this.#probingUntilMs = now + PROBE_DEADLINE_MS;
    const report = await check();
    this.#last = { report, atMs: clock() };
    this.#probingUntilMs = 0;
    return report;
  }
}
