/**
 * What a metric is. A catalogue of definitions is the only way to record one: a name, a label or a kind that is not in
 * it does not compile. Values of labels are the caller's to bound: route patterns, codes and names, never ids.
 */

interface Named {
  readonly help: string;
  /** In the order in which they are shown. */
  readonly labels: readonly string[];
  /** Base unit, which the name ends with (before `_total`). */
  readonly unit?: "seconds" | "bytes";
}

/** Only ever rises. Its name ends with `_total`. */
export interface CounterDefinition extends Named {
  readonly kind: "counter";
}

/** Read when somebody asks, not recorded. */
export interface GaugeDefinition extends Named {
  readonly kind: "gauge";
}

/** Observations counted by size. */
export interface HistogramDefinition extends Named {
  readonly kind: "histogram";
  /** Upper bounds, ascending; the last bucket, without bound, is implied. */
  readonly buckets: readonly number[];
}

export type MetricDefinition = CounterDefinition | GaugeDefinition | HistogramDefinition;

/** Metrics by name. */
export type MetricCatalogue = Readonly<Record<string, MetricDefinition>>;

export type NamesOf<Catalogue extends MetricCatalogue, Kind extends MetricDefinition["kind"]> = {
  [Name in keyof Catalogue]: Catalogue[Name] extends { readonly kind: Kind } ? Name : never;
}[keyof Catalogue] &
  string;

export type LabelsOf<Definition extends MetricDefinition> = {
  readonly [Label in Definition["labels"][number]]: string;
};

/** A gauge's value at this moment. */
export interface Reading {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
