/**
 * Runs before each test file: the schema is migrated, storage is empty at the start of each test, and a test fails when
 * a secret is logged in its time.
 */
import { applyD1Migrations, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect } from "vitest";
import { watchLogs } from "./log-watch";
import { settled } from "./scope";

const watch = watchLogs();

/** A queue's delivery that is reading the database at that moment keeps it from being deleted: then once more. */
const RESETS_MAX = 10;

async function emptyStorage(): Promise<void> {
  for (let resets = 0; resets < RESETS_MAX; resets += 1) {
    await reset();
    const left = await env.DB.prepare("select name from sqlite_schema where name = 'users'").first();
    if (left === null) return;
  }
  throw new Error("The database was never empty.");
}

beforeEach(async () => {
  await emptyStorage();
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
});

afterEach(async ({ task }) => {
  await settled();
  const { lines, leaks } = watch.drain();
  if (task.result?.state === "fail") watch.show(lines);
  expect(leaks, "secrets in the log").toEqual([]);
});
