/** What an isolate has counted and not handed over yet: additions to a map, so that a request does not feel them. */
import type { LabelsOf, MetricCatalogue, NamesOf } from "./definition";
import { encodeSeriesKey } from "./series-key";

/** By series key, how much to add. */
export type Deltas = ReadonlyMap<string, number>;

/** Series an isolate holds between two flushes. Past it new ones are dropped and counted. */
const SERIES_MAX = 2_000;

export class MetricsRecorder<Catalogue extends MetricCatalogue> {
  readonly catalogue: Catalogue;
  readonly #droppedName: NamesOf<Catalogue, "counter">;
  #pending = new Map<string, number>();

  /** @param droppedName the counter, without labels, of what was dropped because there were too many series */
  constructor(catalogue: Catalogue, droppedName: NamesOf<Catalogue, "counter">) {
    this.catalogue = catalogue;
    this.#droppedName = droppedName;
  }

  /** Adds to a counter. Amounts that are not positive and finite change nothing: a counter never goes back. */
  count<Name extends NamesOf<Catalogue, "counter">>(
    name: Name,
    labels: LabelsOf<Catalogue[Name]>,
    amount = 1,
  ): void {
    if (amount > 0 && Number.isFinite(amount)) this.#add(name, labels, null, amount);
  }

  /** Adds an observation to a histogram. What is negative (a clock set back) counts as 0. */
  observe<Name extends NamesOf<Catalogue, "histogram">>(
    name: Name,
    labels: LabelsOf<Catalogue[Name]>,
    value: number,
  ): void {
    const definition = this.catalogue[name];
    if (definition?.kind !== "histogram" || !Number.isFinite(value)) return;
    const observed = Math.max(0, value);
    const bound = definition.buckets.find((bucket) => observed <= bucket);
    this.#add(name, labels, `le ${bound ?? "+Inf"}`, 1);
    if (observed > 0) this.#add(name, labels, "sum", observed);
  }

  get isEmpty(): boolean {
    return this.#pending.size === 0;
  }

  /** Hands everything over and begins anew. */
  take(): Deltas {
    const taken = this.#pending;
    this.#pending = new Map();
    return taken;
  }

  #add(name: string, labels: Readonly<Record<string, string>>, part: string | null, amount: number): void {
    const values = (this.catalogue[name]?.labels ?? []).map((label) => labels[label] ?? "");
    if (part !== null) values.push(part);
    const key = encodeSeriesKey(name, values);
    const before = this.#pending.get(key);
    if (before !== undefined || this.#pending.size < SERIES_MAX) {
      this.#pending.set(key, (before ?? 0) + amount);
    } else {
      this.#pending.set(this.#droppedName, (this.#pending.get(this.#droppedName) ?? 0) + 1);
    }
  }
}
