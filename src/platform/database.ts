/**
 * D1 made polite: one object a request, with a deadline on each call, retries where they are safe, counts of what was
 * spent, and the bookmark that lets a client read its own writes.
 *
 * `batch()` is D1's only transaction, so everything is one: `read` runs its statements in one round trip, `commit`
 * runs them in one and rolls back whole.
 */

import type { BatchItem, BatchResponse } from "drizzle-orm/batch";
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";
import { laterBookmark } from "../kernel/bookmark";
import { AppError } from "../kernel/errors";
import type { Calls } from "./observability/calls";

/** A statement that a repository built and nobody has run yet. */
export type Statement = BatchItem<"sqlite">;
type Statements = readonly [Statement, ...Statement[]];

/**
 * Where a read may be answered: the nearest replica; the primary, which has every write; or any replica that is not
 * behind a bookmark of ours (never one that a client sent in the clear).
 */
export type ReadFrom = "nearest" | "primary" | { readonly notBefore: string };

/** Past this D1 is taken for gone: stalls of 2 to 25 s are reported from the field. */
const DEADLINE_MS = 5_000;
const READ_ATTEMPTS_MAX = 2;

/** D1's transient errors, after which a call may be repeated. Source: developers.cloudflare.com/d1/observability/debug-d1 */
const TRANSIENT = ["Network connection lost", "object to be reset", "code was updated"];

/** A constraint of the schema refused a write: `users.email_key` for a unique index, its own name for a check. */
export class ConstraintViolation extends Error {
  override readonly name = "ConstraintViolation";
  readonly constraint: string;

  constructor(constraint: string) {
    super(`constraint violated: ${constraint}`);
    this.constraint = constraint;
  }
}

export function isViolationOf(error: unknown, constraint: string): boolean {
  return error instanceof ConstraintViolation && error.constraint === constraint;
}

/** One D1 session with the Drizzle that runs batches in it. */
interface Connection {
  readonly session: D1DatabaseSession;
  readonly orm: DrizzleD1Database;
}

export class Database {
  readonly #d1: D1Database;
  readonly #calls: Calls;
  #builder: DrizzleD1Database | undefined;
  readonly #connections: Connection[] = [];
  #nearest: Connection | undefined;
  #primary: Connection | undefined;

  constructor(d1: D1Database, calls: Calls) {
    this.#d1 = d1;
    this.#calls = calls;
  }

  /**
   * Builds statements; `read` and `commit` run them. Rows come back keyed by column name, so a join must not select
   * two columns of one name.
   */
  get build(): DrizzleD1Database {
    this.#builder ??= drizzle(this.#d1);
    return this.#builder;
  }

  /**
   * Runs reads in one round trip.
   * **Errors**: `unavailable` past the deadline or when D1 fails. **Cost**: 1 round trip, 2 after a transient error.
   */
  async read<T extends Statements>(from: ReadFrom, statements: T): Promise<BatchResponse<T>> {
    const connection = this.#connectionFor(from);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await withDeadline(connection.orm.batch(statements));
      } catch (error) {
        if (attempt >= READ_ATTEMPTS_MAX || !isTransient(error)) throw translate(error);
      }
    }
  }

  /**
   * Runs writes in one round trip, all or none. Not repeated: a lost answer leaves open whether they were applied, and
   * only the caller knows whether repeating is safe.
   * **Errors**: `ConstraintViolation`; `unavailable`. **Cost**: 1 round trip to the primary.
   */
  async commit<T extends Statements>(statements: T): Promise<BatchResponse<T>> {
    try {
      return await withDeadline(this.#toPrimary().orm.batch(statements));
    } catch (error) {
      throw translate(error);
    }
  }

  /** As `commit`, with the rows of one more statement, which sees what the writes left. */
  async commitReturning<T extends Statement>(
    writes: readonly Statement[],
    last: T,
  ): Promise<T["_"]["result"]> {
    const [first, ...rest] = [...writes, last];
    const results: readonly unknown[] = await this.commit([first ?? last, ...rest]);
    return results.at(-1);
  }

  /** The latest bookmark of this request's calls; null before the first. */
  bookmark(): string | null {
    return this.#connections.reduce<string | null>(
      (latest, { session }) => laterBookmark(latest, session.getBookmark()),
      null,
    );
  }

  #connectionFor(from: ReadFrom): Connection {
    if (from === "primary") return this.#toPrimary();
    if (from !== "nearest") return this.#connect(this.#d1.withSession(from.notBefore));
    this.#nearest ??= this.#connect(this.#d1.withSession("first-unconstrained"));
    return this.#nearest;
  }

  #toPrimary(): Connection {
    this.#primary ??= this.#connect(this.#d1.withSession("first-primary"));
    return this.#primary;
  }

  #connect(session: D1DatabaseSession): Connection {
    const calls = this.#calls;
    const metered = {
      prepare: (query: string) => session.prepare(query),
      async batch<T>(statements: D1PreparedStatement[]): Promise<D1Result<T>[]> {
        calls.d1RoundTrips += 1;
        calls.d1Statements += statements.length;
        const results = await session.batch<T>(statements);
        for (const { meta } of results) {
          calls.d1RowsRead += meta.rows_read;
          calls.d1RowsWritten += meta.rows_written;
        }
        return results;
      },
    };
    // Drizzle asks of its client only these two methods, which a session has as a database has.
    const connection = { session, orm: drizzle(metered as unknown as D1Database) };
    this.#connections.push(connection);
    return connection;
  }
}

async function withDeadline<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new AppError("unavailable", "D1 did not answer in time", { retryAfterSeconds: 2 })),
      DEADLINE_MS,
    );
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** Messages of an error and its causes, for matching only: they hold parameter values and must go nowhere. */
function messagesOf(error: unknown): string {
  const messages: string[] = [];
  for (let current = error; current instanceof Error && messages.length < 5; current = current.cause) {
    messages.push(current.message);
  }
  return messages.join("\n");
}

function isTransient(error: unknown): boolean {
  const messages = messagesOf(error);
  return TRANSIENT.some((text) => messages.includes(text));
}

const CONSTRAINT = /(?:UNIQUE|CHECK|FOREIGN KEY|NOT NULL) constraint failed(?:: ([A-Za-z_.]+))?/;

function translate(error: unknown): Error {
  if (error instanceof AppError) return error;
  const constraint = CONSTRAINT.exec(messagesOf(error));
  if (constraint !== null) return new ConstraintViolation(constraint[1] ?? "foreign_key");
  return new AppError("unavailable", "D1 failed", { cause: error, isRetryable: isTransient(error) });
}
