/**
 * What a million requests of the mix cost, at list prices and from counted calls: those of the requests and those of the
 * consumers that follow. Not counted, for they differ little or not at all: CPU time, the duration of
 * objects, storage, what a plan includes.
 */

/** Dollars a million. Source: developers.cloudflare.com/workers/platform/pricing, the paid plan. */
const PRICES = {
  requests: 0.3,
  kvReads: 0.5,
  kvWrites: 5,
  objectCalls: 0.15,
  objectRowsWritten: 1,
  d1RowsRead: 0.001,
  d1RowsWritten: 1,
  /** A message is written, read and deleted. */
  queueOperations: 0.4,
};

/** Rows that a call to an object writes, by method: a grant, and a hit of the literal peer, store their state. */
const ROWS_OF_CALL = { ask: 1, hit: 1 };

/**
 * @param {Record<string, number>} before  counts of the stand-ins
 * @param {Record<string, number>} after
 * @param {number} requests  that were made between
 * @returns {{perRequest: Record<string, number>, dollars: Record<string, number>, total: number}} dollars per million requests
 */
export function costOf(before, after, requests) {
  const spent = (name) => ((after[name] ?? 0) - (before[name] ?? 0)) / requests;
  const perRequest = {
    requests: 1,
    kvReads: spent("kvReads"),
    kvWrites: spent("kvWrites") + spent("kvDeletes"),
    objectCalls: spent("objectCalls"),
    objectRowsWritten: Object.entries(ROWS_OF_CALL).reduce(
      (sum, [method, rows]) => sum + rows * spent(method),
      0,
    ),
    d1RowsRead: spent("d1RowsRead"),
    d1RowsWritten: spent("d1RowsWritten"),
    queueOperations: 3 * spent("queueMessages"),
  };
  const dollars = Object.fromEntries(
    Object.entries(perRequest).map(([name, count]) => [name, count * PRICES[name]]),
  );
  return { perRequest, dollars, total: Object.values(dollars).reduce((sum, each) => sum + each, 0) };
}
