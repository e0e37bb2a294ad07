/** D1 bookmarks: positions in the database's history, ordered as text. */

const BOOKMARK = /^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}$/;

/** Local D1 accepts garbage, so a client's header is checked here before anything else looks at it. */
export function isBookmark(value: string): boolean {
  return BOOKMARK.test(value);
}

/** The later of two bookmarks; null is older than all. */
export function laterBookmark(a: string | null, b: string | null): string | null {
  if (a === null) return b;
  if (b === null) return a;
  return a >= b ? a : b;
}
