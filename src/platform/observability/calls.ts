/** What one request cost: calls to each binding, and where its user came from. Logged, metered, shown in Server-Timing. */

export type CacheOutcome = "memory" | "kv" | "miss" | "stale-refused";

/**
 * Who decided on an admission: a lease in memory; the client's object; the isolate alone, out of its allowance, because
 * the object was silent (the limit's one exception); or the burst shield, which kept the ask from the object.
 */
export type AdmissionSource = "lease" | "object" | "isolate" | "shield";

export interface Calls {
  d1Statements: number;
  /** Sequential D1 calls: a batch is one. */
  d1RoundTrips: number;
  d1RowsRead: number;
  d1RowsWritten: number;
  kvReads: number;
  kvWrites: number;
  /** Calls to KV that failed or were late; the request went on without them. */
  kvFailures: number;
  objectCalls: number;
  queueSends: number;
  cache: CacheOutcome | null;
  /** Null when nothing was to be admitted. */
  admittedBy: AdmissionSource | null;
}

/** Returns what was counted until now, and starts again from zero. */
export function drainCalls(calls: Calls): Calls {
  const drained = { ...calls };
  Object.assign(calls, newCalls());
  return drained;
}

export function newCalls(): Calls {
  return {
    d1Statements: 0,
    d1RoundTrips: 0,
    d1RowsRead: 0,
    d1RowsWritten: 0,
    kvReads: 0,
    kvWrites: 0,
    kvFailures: 0,
    objectCalls: 0,
    queueSends: 0,
    cache: null,
    admittedBy: null,
  };
}
