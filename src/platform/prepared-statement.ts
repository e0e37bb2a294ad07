/**
 * Statements whose SQL is built once an isolate. Drizzle builds the text of a statement each time it is run; for a row of
 * sixteen columns that takes longer than all else that a cached read does.
 * Source: orm.drizzle.team/docs/perf-queries. Its own `prepare()` keeps a client, which must not outlive a request here:
 * this keeps the text and how rows are read, and no client.
 */
import { fillPlaceholders, type SQL, sql } from "drizzle-orm";
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";
import type { Database, Statement } from "./database";

/** What a statement's placeholders stand for, by name. */
export type Values = Readonly<Record<string, unknown>>;

/** The statement with these values, for a batch. Throws when a placeholder has none. */
export type Prepared<S extends Statement> = (database: Database, values: Values) => S;

/** A condition, and what its placeholders stand for. */
export interface Guarded {
  /** Where it does not hold, the statement has no effect. A constant with placeholders is built once, any other each time. */
  readonly guard?: SQL;
  /** By names that the statement itself does not use: its own are bound over them. */
  readonly values?: Values;
}

/** The guard of what has none. */
export const ALWAYS = sql`true`;

/** @param build uses `sql.placeholder(name)` for whatever differs from call to call */
export function prepared<S extends Statement>(build: (on: DrizzleD1Database) => S): Prepared<S> {
  let built: Built | undefined;
  return (database, values) => {
    built ??= builtOf(build(BUILDER));
    const { text, params, query } = built;
    return asStatement<S>(() => ({
      stmt: database.prepare(text),
      getQuery: () => ({ sql: text, params: fillPlaceholders(params, values) }),
      mapResult: (result, isFromBatch) => query.mapResult(result, isFromBatch),
    }));
  };
}

/**
 * As `prepared`, of a statement with a part that its caller brings: once for each part that is a constant, anew for one that
 * was made for this call.
 */
export function preparedAround<Part extends object, Made>(make: (part: Part) => Made): (part: Part) => Made {
  const known = new WeakMap<Part, Made>();
  return (part) => {
    const made = known.get(part) ?? make(part);
    known.set(part, made);
    return made;
  };
}

/** What Drizzle asks of a statement that is part of a batch. */
interface Runnable {
  readonly stmt: D1PreparedStatement;
  getQuery(): { readonly sql: string; readonly params: unknown[] };
  mapResult(result: unknown, isFromBatch?: boolean): unknown;
}

interface Built {
  readonly text: string;
  readonly params: unknown[];
  readonly query: Pick<Runnable, "mapResult">;
}

/** Builds and never runs. */
const BUILDER = drizzle({ prepare: () => null } as unknown as D1Database);

function builtOf(statement: Statement): Built {
  const query = (statement as unknown as { _prepare(): Runnable })._prepare(); // Drizzle's, not in its types.
  const { sql: text, params } = query.getQuery();
  return { text, params, query };
}

/** `SQLiteD1Session.batch` calls `_prepare` and nothing else. */
function asStatement<S extends Statement>(prepare: () => Runnable): S {
  return { _prepare: prepare } as unknown as S;
}

/** A value that differs from call to call. */
export const value = (name: string) => sql.placeholder(name);
