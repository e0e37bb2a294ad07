/**
 * D1 over SQLite in a Durable Object, speaking the binding's protocol: `POST /query` or `/execute` with one statement or
 * a batch, which is a transaction, and the session's bookmark in a header.
 *
 * Reads of a session that allows it go to a replica, everything else to the primary. Here both are one database, which
 * never lags: what a replica changes is the time that an answer takes, and what it says of who served it.
 */
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import { delaysOf } from "./delay.js";

const BOOKMARK = "x-cf-d1-session-commit-token";
const READ = /^\s*(?:select|with)\b/i;

const WRITTEN = "select changes() as changes, last_insert_rowid() as last";
const NOTHING = { changes: 0, last: 0 };

let delay;

export default class extends WorkerEntrypoint {
  async fetch(request) {
    const { DATABASE, DELAYS, SEED } = this.env;
    const database = DATABASE.getByName("d1");
    if (DELAYS === null) return await database.fetch(request);
    delay ??= delaysOf(DELAYS, SEED);
    const body = await request.text();
    const session = request.headers.get(BOOKMARK) ?? "first-primary";
    const isReplica = session !== "first-primary" && isRead(JSON.parse(body));
    await delay(isReplica ? "d1Replica" : "d1Primary");
    const headers = new Headers(request.headers);
    if (isReplica) headers.set("x-replica", "1");
    return await database.fetch(request.url, { method: "POST", headers, body });
  }
}

function isRead(queries) {
  return [queries].flat().every(({ sql }) => READ.test(sql));
}

export class Control extends WorkerEntrypoint {
  async counts() {
    return await this.env.DATABASE.getByName("d1").counts();
  }

  /** Runs SQL of any number of statements, for migrations and seeds, uncounted. */
  async run(sql, params) {
    return await this.env.DATABASE.getByName("d1").run(sql, params);
  }
}

export class Database extends DurableObject {
  #counts = { d1Queries: 0, d1Statements: 0, d1RowsRead: 0, d1RowsWritten: 0 };
  #commits = 0;

  async fetch(request) {
    const queries = [await request.json()].flat();
    const isRows = new URL(request.url).searchParams.get("resultsFormat") === "ROWS_AND_COLUMNS";
    const isPrimary = request.headers.get("x-replica") === null;
    this.#counts.d1Queries += 1;
    try {
      const results = this.ctx.storage.transactionSync(() =>
        queries.map((query) => this.#execute(query, { isRows, isPrimary })),
      );
      if (results.some(({ meta }) => meta.changed_db)) this.#commits += 1;
      return Response.json(results, { headers: { [BOOKMARK]: this.#bookmark() } });
    } catch (error) {
      return Response.json({ success: false, error: error.message }, { status: 500 });
    }
  }

  counts() {
    return this.#counts;
  }

  run(sql, params = []) {
    return this.ctx.storage.sql.exec(sql, ...params).toArray();
  }

  #execute({ sql, params }, { isRows, isPrimary }) {
    const bound = (params ?? []).map((value) =>
      Array.isArray(value) ? new Uint8Array(value).buffer : value,
    );
    const cursor = this.ctx.storage.sql.exec(sql, ...bound);
    const columns = cursor.columnNames;
    const rows = Array.from(cursor.raw(), (row) => row.map(plain));
    this.#counts.d1Statements += 1;
    this.#counts.d1RowsRead += cursor.rowsRead;
    this.#counts.d1RowsWritten += cursor.rowsWritten;
    return {
      success: true,
      results: isRows ? { columns, rows } : rows.map((row) => asObject(columns, row)),
      meta: this.#meta(cursor, isPrimary),
    };
  }

  #meta({ rowsRead, rowsWritten }, isPrimary) {
    const { changes, last } = rowsWritten === 0 ? NOTHING : this.run(WRITTEN)[0];
    return {
      served_by: isPrimary ? "primary" : "replica",
      served_by_primary: isPrimary,
      duration: 0,
      changes,
      last_row_id: last,
      changed_db: rowsWritten > 0,
      size_after: 0,
      rows_read: rowsRead,
      rows_written: rowsWritten,
    };
  }

  /** In D1's shape, and ordered as text. */
  #bookmark() {
    return `00000000-${this.#commits.toString(16).padStart(8, "0")}-00000000-${"0".repeat(32)}`;
  }
}

function plain(value) {
  return value instanceof ArrayBuffer ? [...new Uint8Array(value)] : value;
}

function asObject(columns, row) {
  return Object.fromEntries(columns.map((name, index) => [name, row[index]]));
}
