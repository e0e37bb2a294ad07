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

/** Asks D1 and KV side by side. **Cost**: 1 D1 statement, 1 KV read; 2 s at most. */
export async function checkHealth(on: {
  database: Database;
  kv: KVNamespace;
  clock: () => number;
}): Promise<HealthReport> {
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

async function probe(name: Check["name"], clock: () => number, ask: () => Promise<void>): Promise<Check> {
  const startedAt = clock();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), DEADLINE_MS);
  });
  const answered = ask().then(
    () => true,
    () => false,
  );
  const isHealthy = await Promise.race([answered, deadline]);
  clearTimeout(timer);
  return { name, isHealthy, latencyMs: clock() - startedAt };
}
