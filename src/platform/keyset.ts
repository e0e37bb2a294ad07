/** Pages by keyset: where the next one begins, and from which state of the database it is read. */
import { type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { type Actor, actorLabel } from "../kernel/actor";
import { type CursorPosition, type Page, splitPage } from "../kernel/cursor";
import { done, type Outcome, refuseInvalid } from "../kernel/errors";
import type { Database, ReadFrom } from "./database";
import type { Scope } from "./scope";
import type { Sealer } from "./sealing";

/** A list and its filters. */
export interface Listing {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly [filter: string]: unknown;
}

/** A page is never read from an older state than the page before it; a client that presents a bookmark gets the primary. */
export function pageFrom(clientBookmark: string | null, cursorBookmark: string | null): ReadFrom {
  if (clientBookmark !== null) return "primary";
  return cursorBookmark === null ? "nearest" : { notBefore: cursorBookmark };
}

export class Keyset {
  readonly #database: Database;
  readonly #sealer: Sealer;
  readonly #scope: Scope;

  constructor(database: Database, sealer: Sealer, scope: Scope) {
    this.#database = database;
    this.#sealer = sealer;
    this.#scope = scope;
  }

  /**
   * Reads one page and seals the cursor of the next.
   *
   * @param read returns the rows after a position (null: from the start), one more than `limit` when there are more
   * **Errors**: `validation_failed` for a cursor of another list.
   */
  async list<Item extends { readonly id: string }>(
    purpose: string,
    { limit, cursor }: Listing,
    read: (after: CursorPosition | null, from: ReadFrom) => Promise<readonly Item[]>,
    keyOf: (item: Item) => string | number,
  ): Promise<Outcome<Page<Item>>> {
    const position = await this.#open(purpose, cursor);
    if (!position.ok) return position;
    const rows = await read(position.value, this.readFrom(position.value));
    return done(await this.page(purpose, rows, limit, keyOf));
  }

  /** What the cursor points at; null without one. */
  async #open(purpose: string, cursor: string | undefined): Promise<Outcome<CursorPosition | null>> {
    if (cursor === undefined) return done(null);
    const position = await this.#sealer.open(purpose, cursor);
    if (position === null) return refuseCursor();
    return done(position as CursorPosition); // The seal vouches for the shape.
  }

  /** A client that presents a bookmark gets the primary; a page, any replica not behind the page before it. */
  readFrom(position: CursorPosition | null = null): ReadFrom {
    return pageFrom(this.#scope.clientBookmark, position?.bookmark ?? null);
  }

  /** @param rows at most one more than `limit`, which tells that a next page exists */
  async page<Item extends { readonly id: string }>(
    purpose: string,
    rows: readonly Item[],
    limit: number,
    keyOf: (item: Item) => string | number,
  ): Promise<Page<Item>> {
    const { data, last } = splitPage(rows, limit);
    if (last === null) return { data, nextCursor: null };
    return { data, nextCursor: await this.seal(purpose, { key: keyOf(last), id: last.id }) };
  }

  /** The cursor with which the page after this row begins. */
  async seal(purpose: string, row: Pick<CursorPosition, "key" | "id">): Promise<string> {
    const position: CursorPosition = { ...row, bookmark: this.#database.bookmark() };
    return await this.#sealer.seal(purpose, position);
  }
}

/** A cursor opens for the same list, filters and actor alone. @param actor null for a list that is the same for all */
export function purposeOf(list: string, actor: Actor | null, query: Listing): string {
  const { limit: _limit, cursor: _cursor, ...filters } = query;
  return JSON.stringify([list, actor === null ? null : actorLabel(actor), Object.entries(filters).sort()]);
}

/**
 * A column for a filter that bounds it on one side. Where a cursor bounds that side too, SQLite takes either bound for its
 * range, and with the filter's it would walk every page before the cursor's. `+` leaves it the cursor's alone.
 * Source: sqlite.org, "The SQLite Query Optimizer Overview", section 2.
 */
export function boundedColumn(column: SQLiteColumn, isBoundByCursor: boolean): SQL {
  return isBoundByCursor ? sql`+${column}` : sql`${column}`;
}

function refuseCursor() {
  return refuseInvalid({
    pointer: "#/query/cursor",
    code: "invalid_cursor",
    message: "This cursor was not given out for this list and filter.",
  });
}
