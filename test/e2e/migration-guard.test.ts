/** The guard of `npm run check` against a migration that breaks the code which runs beside it. */
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { guardMigrations } from "../../scripts/migration-guard.mjs";
import { runScript } from "../../scripts/tools.mjs";

const BEFORE = {
  name: "0000_before.sql",
  sql:
    "CREATE TABLE users (id text PRIMARY KEY, age integer); CREATE UNIQUE INDEX users_email ON users (email);\n" +
    "CREATE INDEX `users_age` ON `users` (`age`);",
};

function breachesOf(sql: string) {
  return guardMigrations([BEFORE, { name: "0001_it.sql", sql }]);
}

const DESTRUCTIVE = [
  "DROP TABLE users",
  "DROP TABLE IF EXISTS main.users",
  "DROP VIEW adults",
  "DROP TRIGGER users_touched",
  "ALTER TABLE users DROP COLUMN age",
  "ALTER TABLE users DROP age",
  "ALTER TABLE main.users DROP COLUMN age",
  "ALTER TABLE users RENAME TO people",
  "ALTER TABLE users RENAME COLUMN age TO years",
  "ALTER TABLE users ADD COLUMN name text NOT NULL",
  "ALTER TABLE users ADD name text DEFAULT NULL NOT NULL",
  "ALTER TABLE users ADD name text NOT NULL CHECK (name <> (select ' default 1'))",
  "ALTER TABLE users ADD CONSTRAINT adult CHECK (age > 17)",
  "ALTER TABLE users ALTER COLUMN age SET NOT NULL",
  "CREATE UNIQUE INDEX users_age_once ON users (age)",
  "DROP INDEX users_email",
  "DROP INDEX IF EXISTS main.users_email",
  "DROP INDEX created_by_hand",
  "DELETE FROM users",
  "DELETE FROM users WHERE 1 = 1",
  "DELETE FROM users WHERE true AND NOT false",
  "UPDATE users SET age = 1",
  "UPDATE users SET age = (SELECT max(age) FROM others WHERE others.id = users.id)",
  "WITH old AS (SELECT id FROM users WHERE age > 9) DELETE FROM users",
  "WITH replace AS (SELECT 1) UPDATE users SET age = 1",
  "DELETE FROM users WHERE id IS NOT NULL",
  "DELETE FROM users WHERE (users.id NOT NULL) AND id NOTNULL",
  "DELETE FROM users WHERE NOT id IS NULL",
  "DELETE FROM users WHERE NOT (id IS NULL)",
  "DELETE FROM users WHERE id = id",
  "DELETE FROM users WHERE id == id AND 1",
  "DELETE FROM users WHERE age < 0 OR (1 = 1 AND age <= age)",
  "DELETE FROM users WHERE id LIKE '%' RETURNING id",
  "DELETE FROM users WHERE EXISTS (SELECT 1)",
  "UPDATE users SET age = 1 WHERE id IS NOT NULL",
  "REPLACE INTO users SELECT id, 1 FROM others",
  "REPLACE INTO main.users VALUES ('1', 1)",
  "INSERT OR REPLACE INTO users SELECT id, 1 FROM others",
  "WITH it AS (SELECT 1) REPLACE INTO users SELECT * FROM it",
  "UPDATE OR REPLACE users SET id = '1' WHERE age = 1",
  "INSERT INTO users (id) VALUES ('1') ON CONFLICT (id) DO UPDATE SET age = 1",
  "INSERT INTO users SELECT id, 1 FROM others WHERE true ON CONFLICT DO UPDATE SET age = excluded.age",
  "WITH it AS (SELECT 1) INSERT INTO users VALUES ((SELECT * FROM it)) ON CONFLICT DO UPDATE SET age = 1",
  "CREATE TRIGGER touched AFTER UPDATE ON users BEGIN UPDATE counts SET n = CASE n WHEN 1 THEN 2 END; DELETE FROM log; END",
  "CREATE TRIGGER IF NOT EXISTS main.kept BEFORE DELETE ON users BEGIN SELECT raise(ignore); END",
  "PRAGMA foreign_keys = OFF",
  "PRAGMA foreign_keys(0)",
  "PRAGMA main.foreign_keys = 'no'",
  "PRAGMA writable_schema = ON",
] as const;

const HARMLESS = [
  "CREATE TABLE pets (id text PRIMARY KEY, name text NOT NULL)",
  "CREATE TABLE `pets` (`id` text, `name` text); CREATE UNIQUE INDEX `pets_name` ON `pets` (`name`)",
  "CREATE INDEX users_name ON users (name)",
  "DROP INDEX `users_age`",
  "ALTER TABLE users ADD COLUMN name text",
  "ALTER TABLE main.users ADD name text",
  "ALTER TABLE 'us''ers' ADD name text",
  "ALTER TABLE users ADD name text DEFAULT '' NOT NULL",
  "ALTER TABLE users ADD name text CHECK (name IS NOT NULL OR age IS NULL)",
  "ALTER TABLE users ADD name text GENERATED ALWAYS AS (id || age) VIRTUAL NOT NULL",
  "UPDATE users SET name = id WHERE name IS NULL",
  "UPDATE `users` SET `name` = `id` WHERE `name` = ''",
  "DELETE FROM users WHERE age < 0",
  "WITH old AS (SELECT id FROM users) DELETE FROM users WHERE id IN (SELECT id FROM old)",
  "UPDATE users SET name = id WHERE name IS NULL AND id IS NOT NULL",
  "DELETE FROM users WHERE age BETWEEN 1 AND 5 OR id = '' OR users.id = age",
  "UPDATE users SET name = replace(name, 'a', 'b') WHERE age = 1 OR replace(name, 'a', '') = ''",
  "DELETE FROM users WHERE NOT EXISTS (SELECT 1 FROM others WHERE others.id = users.id)",
  "INSERT INTO users (id) VALUES ('1') ON CONFLICT (id) DO NOTHING",
  "INSERT OR IGNORE INTO users (id) SELECT id FROM others",
  "CREATE TABLE pets (id text); INSERT OR REPLACE INTO pets SELECT id FROM users; REPLACE INTO main.`pets` VALUES ('1')",
  "CREATE TABLE pets (id text); INSERT INTO pets VALUES ('1') ON CONFLICT DO UPDATE SET id = '2'",
  "CREATE TABLE pets (id text); CREATE TRIGGER t AFTER INSERT ON pets BEGIN DELETE FROM log; END",
  "PRAGMA foreign_keys = ON",
  "PRAGMA foreign_keys",
  "PRAGMA defer_foreign_keys = ON",
  "INSERT INTO notes (text) VALUES ('; DROP TABLE users; it''s; DROP TABLE users')",
  'CREATE TABLE notes ("; DROP TABLE users" text, `DROP TABLE` text, [; DELETE FROM users] text)',
  "-- DROP TABLE users;\n/* DROP TABLE users;\nDELETE FROM users; */ SELECT 1",
] as const;

describe("a destructive statement without a reason is refused", () => {
  test.each(DESTRUCTIVE)("%s", (sql) => {
    expect(breachesOf(`${sql};`)).toHaveLength(1);
  });

  test.each(DESTRUCTIVE)("whatever hides it: %s", (sql) => {
    expect(breachesOf(sql.toLowerCase())).toHaveLength(1);
    expect(breachesOf(sql.replaceAll(" ", "\n\t/* ; */ -- it's\n"))).toHaveLength(1);
    expect(breachesOf(`SELECT 1; SELECT '--'; ${sql}; SELECT 2;`)).toHaveLength(1);
    for (const [open, close] of ['""', "``", "[]"]) {
      expect(breachesOf(sql.replaceAll(/\busers\b/g, `${open}users${close}`))).toHaveLength(1);
    }
    const trigger =
      "CREATE TEMP TRIGGER begin AFTER INSERT ON users BEGIN SELECT CASE WHEN 1 THEN 2 END; END";
    expect(breachesOf(`${trigger};\n${sql};`).map(({ line }) => line)).toEqual([1, 2]);
  });
});

test.each(HARMLESS)("what the running code does not mind passes: %s", (sql) => {
  expect(breachesOf(`${sql};`)).toEqual([]);
});

test("a rebuild of a table by copy and rename is refused", () => {
  const rebuild = `CREATE TABLE new_users (id text);--> statement-breakpoint
INSERT INTO new_users SELECT id FROM users;--> statement-breakpoint
DROP TABLE users;--> statement-breakpoint
ALTER TABLE new_users RENAME TO users;`;
  expect(breachesOf(rebuild).map(({ line }) => line)).toEqual([3, 4]);
});

test("each statement is named with its file and line", () => {
  expect(breachesOf("SELECT 1;\n\nDROP\nTABLE `users`;")).toEqual([
    {
      file: "0001_it.sql",
      line: 3,
      statement: "drop table users",
      why: expect.stringContaining("still use it"),
    },
  ]);
});

test("a reason covers its own file and no other", () => {
  const reason = "-- contract: nothing reads it since 1.4\nDROP TABLE users;";
  expect(breachesOf(reason)).toEqual([]);
  const next = { name: "0002_next.sql", sql: "DROP TABLE pets;" };
  expect(guardMigrations([{ name: "0001_it.sql", sql: reason }, next])).toHaveLength(1);
});

test.each([
  "-- contract:",
  "-- contract: .",
  "-- contract nothing reads it since 1.4",
  "SELECT '-- contract: nothing reads it since 1.4';",
  "/* -- contract: nothing reads it since 1.4 */",
])("%s gives no reason", (line) => {
  expect(breachesOf(`${line}\nDROP TABLE users;`)).toHaveLength(1);
});

test("the project's own migrations pass", () => {
  const names = readdirSync("migrations").filter((name) => name.endsWith(".sql"));
  const migrations = names
    .sort()
    .map((name) => ({ name, sql: readFileSync(join("migrations", name), "utf8") }));
  expect(guardMigrations(migrations)).toEqual([]);
});

test("npm run check runs the guard, which fails with the statement and its place", async () => {
  expect(readFileSync("scripts/check.mjs", "utf8")).toContain(
    'runScript("scripts/migration-guard.mjs", ["--check"])',
  );
  expect(await runScript("scripts/migration-guard.mjs", ["--check"])).toMatchObject({ code: 0, output: "" });
  const directory = await mkdtemp(join(tmpdir(), "migrations-"));
  try {
    await writeFile(join(directory, "0001_drop.sql"), "DROP TABLE users;");
    const { code, output } = await runScript("scripts/migration-guard.mjs", ["--check", directory]);
    expect(code).toBe(1);
    expect(output).toContain("0001_drop.sql:1: drop table users");
  } finally {
    await rm(directory, { recursive: true });
  }
});
