import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import type { BuildTarget } from "../../../src/platform/build-target";
import { isViolationOf } from "../../../src/platform/constraint-violation";
import { Database, type Statement } from "../../../src/platform/database";
import { databaseMessage } from "../../../src/platform/database-error";
import { newCalls } from "../../../src/platform/observability/calls";
import { describeError } from "../../../src/platform/observability/logger";

const ADDRESS = "planted.person@secret.example";
const HASH = "c2NyeXB0JDE2Mzg0JDgkNSRzYWx0c2FsdHNhbHQkaGFzaGhhc2g";
const WORD = "plantedword";

beforeAll(async () => {
  await env.DB.exec("create table if not exists planted (word text unique, age integer check (age > 0))");
});

/** A statement out of its text, as Drizzle hands one to its batch. */
function statement(sql: string, ...params: unknown[]): Statement {
  const query = { stmt: env.DB.prepare(sql), getQuery: () => ({ sql, params }), mapResult: () => null };
  return { _prepare: () => query } as unknown as Statement;
}

/** What is logged of statements that fail in one batch. */
async function logged(target: BuildTarget, ...statements: Statement[]) {
  const database = new Database(env.DB, newCalls(), { target });
  const [first, ...rest] = statements;
  if (first === undefined) throw new TypeError("no statement");
  const thrown: unknown = await database.commit([first, ...rest]).then(
    () => null,
    (error: unknown) => error,
  );
  const { error, stack } = describeError(thrown, target) as { error: string; stack: string };
  return { thrown, error, stack, all: `${error}\n${stack}` };
}

describe("in development a database error", () => {
  test("is logged with SQLite's message and the statement's text", async () => {
    const { error, stack } = await logged(
      "development",
      statement("select wrod from planted where word = ?", WORD),
    );
    expect(error).toBe(
      "AppError: D1 failed <- DatabaseError: no such column: wrod at offset 7: SQLITE_ERROR",
    );
    expect(stack).toContain("  in: select wrod from planted where word = ?");
    expect(stack).not.toContain(WORD);
  });

  test("of a table that is not there says to run the migrations, and by which command", async () => {
    const { stack } = await logged("development", statement("select 1"), statement("select * from invoices"));
    expect(stack).toContain("DatabaseError: no such table: invoices");
    expect(stack).toContain("Run the migrations: npx wrangler d1 migrations apply DB --local");
    expect(stack).toContain("  in: select * from invoices");
    expect(stack).not.toContain("in: select 1");
  });

  test("that names no table is logged with every statement of its batch", async () => {
    const { stack } = await logged("development", statement("select 1"), statement("selec 2"));
    expect(stack).toContain("  in: select 1\n  in: selec 2");
  });

  test("of a constraint keeps its kind for the caller, and its statement for the log", async () => {
    const insert = statement("insert into planted (word, age) values (?, ?)", ADDRESS, 5);
    const { error, all, thrown } = await logged("development", insert, insert);
    expect(isViolationOf(thrown, "planted.word")).toBe(true);
    expect(error).toContain(
      "ConstraintViolation: constraint violated: planted.word <- DatabaseError: UNIQUE",
    );
    expect(all).toContain("  in: insert into planted (word, age) values (?, ?)");
    expect(all).not.toContain("planted.person");
  });

  test.each([
    ["a JSON path", "select json_extract('{}', ?)", [`$ ${WORD} it's ${ADDRESS}`]],
    ["JSON", "select json(?)", [`{"a": ${WORD} ${HASH}`]],
    ["a list", "select ?", [[WORD, ADDRESS]]],
    ["an object", "select ?", [{ toString: () => `it's ${WORD} of '${ADDRESS}` }]],
    ["a value that breaks a check", "insert into planted (word, age) values (?, ?)", [WORD, -1]],
    ["a row id that is no number", "insert into planted (rowid, word) values (?, ?)", [HASH, WORD]],
    ["too many values", "select ?", [WORD, HASH]],
  ])("about %s holds no value", async (_, text, params) => {
    const { error, all } = await logged("development", statement(text, ...params));
    expect(error).toContain("DatabaseError: ");
    expect(all).toContain(`  in: ${text}`);
    expect(all).not.toMatch(/plantedword|planted\.person|c2Nye/);
  });

  test("that is a bug in building a statement keeps its own message and stack", async () => {
    const broken = { _prepare: () => (undefined as unknown as { query: never }).query };
    const { error, stack } = await logged("development", broken as unknown as Statement);
    expect(error).toContain("TypeError: Cannot read properties of undefined (reading 'query')");
    expect(stack).toMatch(/caused by TypeError: .*\n {4}at .*_prepare/);
  });
});

test("deployed, a database error is logged by SQLite's code alone", async () => {
  const { error, all } = await logged(
    "deployment",
    statement("select * from invoices where word = ?", ADDRESS),
  );
  expect(error).toMatch(/^AppError: D1 failed <- Error \(SQLITE_ERROR\)/);
  expect(all).not.toMatch(/invoices|planted/);
});

test("deployed, a broken constraint has no cause that could hold a value", async () => {
  const insert = statement("insert into planted (word) values (?)", ADDRESS);
  const { error, thrown } = await logged("deployment", insert, insert);
  expect([error, isViolationOf(thrown, "planted.word")]).toEqual(["ConstraintViolation", true]);
});

test.each([
  [`fts5: syntax error near "${WORD}": SQLITE_ERROR`, "fts5: syntax error near (a value): SQLITE_ERROR"],
  ['near "selec": syntax error: SQLITE_ERROR', 'near "selec": syntax error: SQLITE_ERROR'],
  [
    `D1_TYPE_ERROR: Type 'undefined' not supported for value 'undefined'`,
    `D1_TYPE_ERROR: Type 'undefined' not supported for value 'undefined'`,
  ],
])("what is quoted is kept only if it is no value: %s", (given, kept) => {
  const cause = new Error(given);
  const [message] = databaseMessage(new Error("D1_ERROR", { cause }), ["selec word"]).split("\n");
  expect(message).toBe(kept);
});
