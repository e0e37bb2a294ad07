/** One of a few objects that add up what the isolates counted. Its sums outlive every isolate, and its own evictions. */
import { DurableObject } from "cloudflare:workers";
import type { Clock } from "../../../kernel/clock";
import { systemClock } from "../../clock";
import { addDeltas, isRepeated, type MetricsBatch } from "./batch";

const SERIES_MAX = 10_000;
/** An isolate silent for so long is gone; its client drops a batch long before, so none is counted twice. */
const SOURCE_LIFE_MS = 86_400_000;

export class MetricsShard extends DurableObject<Env> {
  /** Replaced in tests. Not reachable by RPC, which sees only methods. */
  clock: Clock = systemClock;
  #sums: Map<string, number> | undefined;
  #sequences: Map<string, number> | undefined;

  /**
   * Counts a batch, once however often it comes. The output gate holds the answer until it is durable.
   * **Cost**: a row written for each series in it, and one for its source.
   */
  async add(batch: MetricsBatch): Promise<void> {
    const { sums, sequences } = this.#load();
    const last = sequences.get(batch.source);
    if (isRepeated(batch, last)) return;
    const changed = addDeltas(sums, batch.deltas, SERIES_MAX);
    const now = this.clock();
    const { sql } = this.ctx.storage;
    this.ctx.storage.transactionSync(() => {
      for (const [key, sum] of changed) sql.exec("insert or replace into series values (?, ?)", key, sum);
      sql.exec("insert or replace into sources values (?, ?, ?)", batch.source, batch.sequence, now);
      if (last === undefined) sql.exec("delete from sources where seen_at < ?", now - SOURCE_LIFE_MS);
    });
    for (const [key, sum] of changed) sums.set(key, sum);
    sequences.set(batch.source, batch.sequence);
  }

  /** Every sum, by series key. */
  async read(): Promise<Map<string, number>> {
    return this.#load().sums;
  }

  /** Storage into memory, once a life of the object: also after its storage was deleted under it, in tests. */
  #load(): { sums: Map<string, number>; sequences: Map<string, number> } {
    if (this.#sums !== undefined && this.#sequences !== undefined) {
      return { sums: this.#sums, sequences: this.#sequences };
    }
    const { sql } = this.ctx.storage;
    sql.exec("create table if not exists series (key text primary key, sum real not null) without rowid");
    sql.exec(
      "create table if not exists sources (source text primary key, sequence integer not null, seen_at integer not null) without rowid",
    );
    const series = sql.exec<{ key: string; sum: number }>("select key, sum from series").toArray();
    const sources = sql
      .exec<{ source: string; sequence: number }>("select source, sequence from sources")
      .toArray();
    this.#sums = new Map(series.map(({ key, sum }) => [key, sum]));
    this.#sequences = new Map(sources.map(({ source, sequence }) => [source, sequence]));
    return { sums: this.#sums, sequences: this.#sequences };
  }
}
