/**
 * Marks: how a batch knows which change wrote a row. D1 rolls a batch back only when a statement fails, and an UPDATE that
 * matches nothing does not fail. So the first write of a change puts its id into `last_change_id`, and every other statement
 * of the batch holds only where that id stands.
 */
import { type SQL, type SQLChunk, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { value } from "./prepared-statement";
import type { Scope } from "./scope";

/** Names a change of a row: the row carries its id afterwards, and so does the change's first event. */
export interface Mark {
  /** Of the row. */
  readonly id: string;
  readonly changeId: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** The mark of a change that is decided on a row as it was read: its writes hold only while the row still is that. */
export interface PendingMark extends Mark {
  /** The row's last change as it was read; null for a new row, or one that no change has written yet. */
  readonly was: string | null;
}

/** A row as it was read. */
export interface Marked {
  /** Null for a row that no change has written yet. */
  readonly lastChangeId: string | null;
}

export function newMark({ newId, clock }: Pick<Scope, "newId" | "clock">, id: string): Mark {
  return { id, changeId: newId(), at: clock() };
}

/** A table whose rows carry their last change. */
export class MarkedTable {
  readonly #id: SQLiteColumn;
  readonly #lastChangeId: SQLiteColumn;
  /** Holds where the change of `valuesOf` wrote the row. A constant, so a statement around it is built once. */
  readonly isMarked: SQL;
  /** The WHERE of a change: the row of `valuesOf` as it was read. A constant like `isMarked`. */
  readonly isAsRead: SQL;

  constructor(table: { readonly id: SQLiteColumn; readonly lastChangeId: SQLiteColumn }) {
    this.#id = table.id;
    this.#lastChangeId = table.lastChangeId;
    this.isMarked = this.#holds(value("markedId"), value("changeId"));
    this.isAsRead = this.#matches(value("markedId"), value("was"));
  }

  valuesOf({ id, changeId, was = null }: Mark & Partial<PendingMark>) {
    return { markedId: id, changeId, was };
  }

  /** As `isMarked`, for a statement that is built for each call. */
  isMarkedBy({ id, changeId }: Mark): SQL {
    return this.#holds(id, changeId);
  }

  /** As `isAsRead`, for a statement that is built for each call. */
  isStill({ id, was }: PendingMark): SQL {
    return this.#matches(id, was);
  }

  #holds(id: SQLChunk, changeId: SQLChunk): SQL {
    return sql`exists (select 1 from ${this.#id.table} where ${this.#id} = ${id} and ${this.#lastChangeId} = ${changeId})`;
  }

  #matches(id: SQLChunk, was: SQLChunk | null): SQL {
    return sql`${this.#id} = ${id} and ${this.#lastChangeId} is ${was}`;
  }
}
