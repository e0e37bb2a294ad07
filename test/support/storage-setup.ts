/** Runs before each test file with stores: the schema is migrated, and storage is empty, at the start of each test. */
import { applyD1Migrations, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach } from "vitest";

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
