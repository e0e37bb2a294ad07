/**
 * What SQLite said, for a developer, without the values of the statement. SQLite and D1 quote what they complain about:
 * a name out of the statement's text, or a piece of a value.
 */

const STATEMENTS_MAX = 20;
const STATEMENT_LENGTH_MAX = 1_000;

/** Words of D1's own, in its complaint about a parameter's type. */
const TYPES: ReadonlySet<string> = new Set(["undefined", "object", "function", "symbol", "bigint", "string"]);

/** What SQLite said, without values, and the texts of the statements. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";

  /** @param texts the statements of the batch, as text with placeholders */
  constructor(thrown: Error, texts: readonly string[]) {
    super(databaseMessage(thrown, texts));
  }
}

/** Whether D1 or SQLite threw this error. */
export function isThrownByDatabase(error: unknown): error is Error {
  return error instanceof Error && (error.message.startsWith("D1_") || error.message.includes("SQLITE_"));
}

/**
 * Returns what the database threw with the statements' texts. A bug in building a statement is returned as it is, with its
 * stack.
 *
 * @param statements as Drizzle batches them
 */
export function explained(error: unknown, statements: readonly object[]): unknown {
  return isThrownByDatabase(error) ? new DatabaseError(error, statements.map(textOf)) : error;
}

/** Returns the statement's SQL, with placeholders for its values. Drizzle's `_prepare` is not in its types. */
function textOf(statement: object): string {
  return (statement as { _prepare(): { getQuery(): { sql: string } } })._prepare().getQuery().sql;
}

/** Returns SQLite's message, what to do about it, and the statements that it may be about. */
export function databaseMessage(error: unknown, texts: readonly string[]): string {
  const message = withoutValues(innermostMessage(error), texts);
  const advice =
    /no such (?:table|column)|has no column named/.test(message) && texts.length > 0 ? [ADVICE] : [];
  return [message, ...advice, ...suspects(message, texts).map(statementLine)].join("\n");
}

const ADVICE = "  Run the migrations: npx wrangler d1 migrations apply DB --local";

function statementLine(text: string): string {
  return `  in: ${text.replace(/\s+/g, " ").slice(0, STATEMENT_LENGTH_MAX)}`;
}

/** D1 wraps SQLite's error, and Drizzle wraps D1's with the parameters in its message. */
function innermostMessage(error: unknown): string {
  let current = error;
  for (let depth = 0; depth < 5 && current instanceof Error && current.cause instanceof Error; depth += 1) {
    current = current.cause;
  }
  return current instanceof Error ? current.message : String(current);
}

/**
 * Keeps quoted names that are in the statement's text, and D1's own words. From the first other quotation on, all up to the
 * last quotation mark is left out, because a value can hold quotation marks itself.
 */
function withoutValues(message: string, texts: readonly string[]): string {
  for (const { 0: quoted, index } of message.matchAll(/(['"`]).*?\1/gs)) {
    const inner = quoted.slice(1, -1);
    if (TYPES.has(inner) || texts.some((text) => text.includes(inner))) continue;
    const end = Math.max(...["'", '"', "`"].map((mark) => message.lastIndexOf(mark)));
    return `${message.slice(0, index)}(a value)${message.slice(end + 1)}`;
  }
  return message;
}

/** D1 does not say which statement of a batch failed: those that name the table, or all. */
function suspects(message: string, texts: readonly string[]): readonly string[] {
  const name = /(?:no such table|constraint failed): (\w+)/.exec(message)?.[1];
  const named = name === undefined ? [] : texts.filter((text) => text.includes(name));
  return (named.length > 0 ? named : texts).slice(0, STATEMENTS_MAX);
}
