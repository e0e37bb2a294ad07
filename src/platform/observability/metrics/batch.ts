/**
 * What travels from an isolate to its shard, and the rule that counts it once. An isolate numbers its batches and sends
 * the next only when the last was acknowledged; a batch whose answer was lost goes out again, the same under the same
 * number. So a shard needs to remember one number for each isolate.
 */

export interface MetricsBatch {
  /** Of the isolate that counted. */
  readonly source: string;
  /** From 1. */
  readonly sequence: number;
  readonly deltas: readonly (readonly [key: string, amount: number])[];
}

/** Whether a shard has counted the batch already. */
export function isRepeated(batch: MetricsBatch, lastSequence: number | undefined): boolean {
  return lastSequence !== undefined && batch.sequence <= lastSequence;
}

/**
 * The sums after a batch, for the series that it touches. A series beyond `seriesMax` is left out: the shard holds what
 * a catalogue can name, and more of it is a label that somebody forgot to bound.
 */
export function addDeltas(
  sums: ReadonlyMap<string, number>,
  deltas: MetricsBatch["deltas"],
  seriesMax: number,
): Map<string, number> {
  const changed = new Map<string, number>();
  let added = 0;
  for (const [key, amount] of deltas) {
    if (!(amount > 0 && Number.isFinite(amount))) continue;
    const before = changed.get(key) ?? sums.get(key);
    if (before === undefined && sums.size + added >= seriesMax) continue;
    if (before === undefined) added += 1;
    changed.set(key, (before ?? 0) + amount);
  }
  return changed;
}
