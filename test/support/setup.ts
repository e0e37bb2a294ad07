/**
 * Runs before each test file: the schema is migrated, storage is empty at the start of each test, and a test fails when
 * a secret is logged in its time.
 */
import { applyD1Migrations, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect } from "vitest";
import { watchLogs } from "./log-watch";

const watch = watchLogs();

beforeEach(async () => {
  await reset();
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
});

afterEach(({ task }) => {
  const { lines, leaks } = watch.drain();
  if (task.result?.state === "fail") watch.show(lines);
  expect(leaks, "secrets in the log").toEqual([]);
});
