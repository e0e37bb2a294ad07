/**
 * Keyset positions: what a page's last row sorts by. The sealed, opaque form that clients hold is made by
 * `platform/sealing.ts`; this is the plain content.
 */

export interface CursorPosition {
  /** The sort key of the last row given out. */
  readonly key: string | number;
  /** Its id, which breaks ties. */
  readonly id: string;
  /** The database bookmark at which the page was read, so that the next page is never read from an older state. */
  readonly bookmark: string | null;
}

export interface Page<Item> {
  readonly data: readonly Item[];
  /** Null on the last page. */
  readonly nextCursor: string | null;
}

/**
 * Splits rows into a page and what the next one follows.
 *
 * @param rows one more than `limit` when there is a next page
 * @returns `last` is the page's last row, or null on the last page
 */
export function splitPage<Row>(
  rows: readonly Row[],
  limit: number,
): { readonly data: readonly Row[]; readonly last: Row | null } {
  const data = rows.slice(0, limit);
  return { data, last: rows.length > limit ? (data.at(-1) ?? null) : null };
}
