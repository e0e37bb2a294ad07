/** Whether what we stand on answers, and how fast. Degraded is not down: without KV the database still answers. */
import { sql } from "drizzle-orm";
import type { Database } from "./database";

export interface Check {
  readonly name: "d1" | "kv";
  readonly isHealthy: boolean;
  /** When deployed the clock moves with I/O, so this is the time of the call. */
  readonly latencyMs: number;
}

export interface HealthReport {
  readonly status: "ok" | "degraded" | "down";
  readonly checks: readonly Check[];
}

const DEADLINE_MS = 2_000;
/** For so long an isolate answers what it found last: nobody's budget bounds who asks, so D1 and KV are spared so. */
const RECENT_MS = 1_000;

interface Sources {
  readonly database: Database;
  readonly kv: KVNamespace;
  readonly clock: () => number;
}

let recent: { readonly kv: KVNamespace; readonly at: number; readonly report: HealthReport } | undefined;

/** What was found a moment ago, or is found now. **Cost**: once in `RECENT_MS` 1 D1 statement and 1 KV read; 2 s at most. */
export async function checkHealth(on: Sources): Promise<HealthReport> {
  const ageMs = recent?.kv === on.kv ? on.clock() - recent.at : Number.POSITIVE_INFINITY;
  if (recent !== undefined && ageMs >= 0 && ageMs < RECENT_MS) return recent.report;
  const report = await ask(on);
  recent = { kv: on.kv, at: on.clock(), report };
  return report;
}

/** Asks D1 and KV side by side. */
async function ask(on: Sources): Promise<HealthReport> {
  const checks = await Promise.all([
    probe("d1", on.clock, async () => {
      await on.database.read("nearest", [on.database.build.run(sql`select 1`)]);
    }),
    probe("kv", on.clock, async () => {
      await on.kv.get("health");
    }),
  ]);
  const isDown = checks.some((check) => check.name === "d1" && !check.isHealthy);
  const isDegraded = checks.some((check) => !check.isHealthy);
  return { status: isDown ? "down" : isDegraded ? "degraded" : "ok", checks };
}

async function probe(name: Check["name"], clock: () => number, call: () => Promise<void>): Promise<Check> {
  const startedAt = clock();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), DEADLINE_MS);
  });
  const answered = call().then(
    () => true,
    () => false,
  );
  const isHealthy = await Promise.race([answered, deadline]);
  clearTimeout(timer);
  return { name, isHealthy, latencyMs: clock() - startedAt };
}
