/**
 * D1 made polite: one object a request, with a deadline on each call, retries where they are safe, counts of what was
 * spent, and the bookmark that lets a client read its own writes.
 *
 * `batch()` is D1's only transaction, so everything is one: `read` runs its statements in one round trip, `commit`
 * runs them in one and rolls back whole.
 */

import type { SQL } from "drizzle-orm";
import type { BatchItem, BatchResponse } from "drizzle-orm/batch";
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";
import { laterBookmark } from "../kernel/bookmark";
import { AppError } from "../kernel/errors";
import { type BuildTarget, buildTarget } from "./build-target";
import { randomFraction } from "./clock";
import { ConstraintViolation } from "./constraint-violation";
import { DatabaseError, explained } from "./database-error";
import { withDeadline } from "./deadline";
import type { Calls } from "./observability/calls";
import { inSpan } from "./observability/tracing";

/** A statement that a repository built and nobody has run yet. */
export type Statement = BatchItem<"sqlite">;
/** A condition that a repository built, for a statement to hold by. */
export type Guard = SQL;
export type Statements = readonly Statement[];

/**
 * Where a read may be answered: the nearest replica; the primary, which has every write; or any replica that is not
 * behind a bookmark of ours (never one that a client sent in the clear).
 */
export type ReadFrom = "nearest" | "primary" | { readonly notBefore: string };

/** At which state of the database a value was read or written. */
export interface Stamp {
  /** Of this call's own session; null when D1 named none. */
  readonly bookmark: string | null;
  /** Whether the primary answered. A replica lags by up to 30 s. */
  readonly isFromPrimary: boolean;
}

export interface Stamped<T> extends Stamp {
  readonly value: T;
}

/** What a batch returned. */
export interface Answer<T extends Statements> extends Stamp {
  readonly statements: T;
  /** Of each statement, in their order. */
  readonly rows: BatchResponse<T>;
  /** The rows of one statement of the batch, found by identity: for batches to which several modules add. */
  of<S extends Statement>(statement: S): S["_"]["result"];
}

/** Past this D1 is taken for gone, repeats included: stalls of 2 to 25 s are reported from the field. */
const DEADLINE_MS = 5_000;
const ATTEMPTS_MAX = 3;
/** Doubled by the attempt, half of it random. */
const BACKOFF_MS = 50;

/**
 * D1's transient errors, after which a call may be repeated. An overloaded database, a timeout and a limit of memory or
 * CPU are not among them: repeating makes those worse. Source: developers.cloudflare.com/d1/observability/debug-d1
 */
const TRANSIENT = ["Network connection lost", "object to be reset", "code was updated"];
/** "storage operation exceeded timeout which caused object to be reset" is a timeout all the same. */
const TOO_MUCH = ["timeout", "timed out", "overloaded", "Too many requests", "CPU", "Memory", "memory"];

/** Whether a write that is repeated after its answer was lost leaves what it would have left once. */
interface CommitOptions {
  readonly isIdempotent?: boolean;
}

interface DatabaseOptions {
  readonly deadlineMs?: number;
  /** In development errors carry SQLite's message and the statements' texts, for the terminal. */
  readonly target?: BuildTarget;
}

export class Database {
  readonly #d1: D1Database;
  readonly #calls: Calls;
  readonly #deadlineMs: number;
  readonly #isExplaining: boolean;
  #builder: DrizzleD1Database | undefined;
  #bookmark: string | null = null;

  constructor(d1: D1Database, calls: Calls, options: DatabaseOptions = {}) {
    this.#d1 = d1;
    this.#calls = calls;
    this.#deadlineMs = options.deadlineMs ?? DEADLINE_MS;
    this.#isExplaining = (options.target ?? buildTarget) === "development";
  }

  /**
   * Builds statements; `read` and `commit` run them. Rows come back keyed by column name, so a join must not select
   * two columns of one name.
   */
  get build(): DrizzleD1Database {
    this.#builder ??= drizzle(this.#d1);
    return this.#builder;
  }

  /** For `prepared-statement`: a statement out of its text. */
  prepare(text: string): D1PreparedStatement {
    return this.#d1.prepare(text);
  }

  /**
   * Runs reads in one round trip.
   * **Errors**: `unavailable` past the deadline or when D1 fails. **Cost**: 1 round trip, 3 at most after transient errors.
   */
  read<const T extends Statements>(from: ReadFrom, statements: T): Promise<Answer<T>> {
    return this.#run(() => this.#sessionFor(from), statements, true);
  }

  /**
   * Runs writes in one round trip, all or none. Not repeated unless it says `isIdempotent`: a lost answer leaves open
   * whether they were applied, and only the caller knows whether repeating is safe.
   * **Errors**: `ConstraintViolation`; `unavailable`. **Cost**: 1 round trip to the primary.
   */
  commit<const T extends Statements>(
    statements: T,
    { isIdempotent = false }: CommitOptions = {},
  ): Promise<Answer<T>> {
    return this.#run(() => this.#d1.withSession("first-primary"), statements, isIdempotent);
  }

  /** The latest bookmark of this request's calls; null before the first. */
  bookmark(): string | null {
    return this.#bookmark;
  }

  /**
   * A session of its own for each call. In a `first-primary` session only the first query is sure to reach the primary,
   * and a session's bookmark may be that of another query that ran beside: neither would be a true stamp.
   */
  #sessionFor(from: ReadFrom): D1DatabaseSession {
    if (from === "primary") return this.#d1.withSession("first-primary");
    const ownState = this.#bookmark;
    if (from === "nearest") return this.#d1.withSession(ownState ?? "first-unconstrained");
    return this.#d1.withSession(laterBookmark(from.notBefore, ownState) ?? from.notBefore);
  }

  async #run<T extends Statements>(
    open: () => D1DatabaseSession,
    statements: T,
    isRepeatable: boolean,
  ): Promise<Answer<T>> {
    try {
      const work = this.#attempt(open, statements, isRepeatable);
      return await withDeadline(work, this.#deadlineMs, late);
    } catch (error) {
      throw translate(error, this.#isExplaining ? explained(error, statements) : error);
    }
  }

  async #attempt<T extends Statements>(
    open: () => D1DatabaseSession,
    statements: T,
    isRepeatable: boolean,
  ): Promise<Answer<T>> {
    for (let attempt = 1; ; attempt += 1) {
      const metered = this.#meter(open());
      try {
        const rows = await metered.orm.batch(atLeastOne(statements));
        const bookmark = metered.session.getBookmark();
        this.#bookmark = laterBookmark(this.#bookmark, bookmark);
        const of = (statement: Statement) => rowsOf(statements, rows, statement);
        return { statements, rows, of, bookmark, isFromPrimary: metered.isFromPrimary() };
      } catch (error) {
        if (!isRepeatable || attempt >= ATTEMPTS_MAX || !isTransient(error)) throw error;
        await scheduler.wait(BACKOFF_MS * 2 ** attempt * (0.5 + randomFraction() / 2));
      }
    }
  }

  /** Drizzle over a session, counting. */
  #meter(session: D1DatabaseSession) {
    const calls = this.#calls;
    let isFromPrimary = false;
    const metered = {
      prepare: (query: string) => session.prepare(query),
      async batch<T>(statements: D1PreparedStatement[]): Promise<D1Result<T>[]> {
        calls.d1RoundTrips += 1;
        calls.d1Statements += statements.length;
        const results = await inSpan("database.batch", { statements: statements.length }, () =>
          session.batch<T>(statements),
        );
        isFromPrimary = results.every(({ meta }) => meta.served_by_primary === true);
        for (const { meta } of results) {
          calls.d1RowsRead += meta.rows_read;
          calls.d1RowsWritten += meta.rows_written;
        }
        return results;
      },
    };
    // Drizzle asks of its client only these two methods, which a session has as a database has.
    const orm = drizzle(metered as unknown as D1Database);
    return { session, orm, isFromPrimary: () => isFromPrimary };
  }
}

/** Drizzle's types ask for a batch that is not empty. */
function atLeastOne<T extends Statements>(statements: T): T & readonly [Statement, ...Statement[]] {
  if (statements.length === 0) throw new TypeError("a batch needs a statement");
  return statements as T & readonly [Statement, ...Statement[]];
}

function rowsOf(statements: Statements, rows: readonly unknown[], statement: Statement): unknown {
  const index = statements.indexOf(statement);
  if (index < 0) throw new TypeError("the statement is not part of the batch");
  return rows[index];
}

function late(): AppError {
  return new AppError("unavailable", "D1 did not answer in time", { retryAfterSeconds: 2 });
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
  const says = (texts: readonly string[]) => texts.some((text) => messages.includes(text));
  return says(TRANSIENT) && !says(TOO_MUCH);
}

const CONSTRAINT = /(?:UNIQUE|CHECK|FOREIGN KEY|NOT NULL) constraint failed(?:: ([A-Za-z_.]+))?/;

/** @param cause what the log may know of the error */
function translate(error: unknown, cause: unknown): Error {
  if (error instanceof AppError) return error;
  const constraint = CONSTRAINT.exec(messagesOf(error));
  if (constraint !== null)
    return new ConstraintViolation(
      constraint[1] ?? "foreign_key",
      cause instanceof DatabaseError ? cause : undefined,
    );
  return new AppError("unavailable", "D1 failed", { cause, isRetryable: isTransient(error) });
}
