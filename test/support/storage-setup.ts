/** Runs before each test file with stores: the schema is migrated, and storage is empty, at the start of each test. */
import { applyD1Migrations, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeEach } from "vitest";
import { SCRYPT_PARAMETERS } from "../../src/platform/password-hasher";
import { closeQueues, openQueues } from "./queue-gate";

// At its real cost a hash takes 150 ms of CPU, which was half of what these tests took. The real cost is tested in
// test/unit/platform/password-hasher.test.ts, and paid by the built Worker in test/e2e.
Object.assign(SCRYPT_PARAMETERS, { logN: 4, parallelization: 1 });

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

/** What the migrations leave in an empty database; null until they have run once, and when they leave rows. */
let schema: readonly string[] | null = null;

/** Runs the migrations once, and later creates what they left, which takes a third of their time. */
async function createSchema(): Promise<void> {
  if (schema === null) {
    await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
    schema = await readSchema();
  } else {
    await env.DB.batch(schema.map((statement) => env.DB.prepare(statement)));
  }
}

async function readSchema(): Promise<readonly string[] | null> {
  const own = "sql is not null and name not glob 'sqlite_*' and name not glob '_cf_*'";
  const made = await env.DB.prepare(`select type, name, sql from sqlite_schema where ${own}`).all<{
    type: string;
    name: string;
    sql: string;
  }>();
  const tables = made.results.filter(({ type, name }) => type === "table" && name !== "d1_migrations");
  const rows = await env.DB.batch(
    tables.map(({ name }) => env.DB.prepare(`select 1 from "${name}" limit 1`)),
  );
  return rows.every(({ results }) => results.length === 0) ? made.results.map(({ sql }) => sql) : null;
}

beforeEach(async () => {
  await closeQueues();
  await emptyStorage();
  await createSchema();
  openQueues();
});

afterAll(closeQueues);
