/**
 * Analytics Engine: data points for dashboards, sampled and best effort. Local development accepts anything and writes
 * nothing, so the shape is checked here. Source: developers.cloudflare.com/analytics/analytics-engine/limits
 */
import { AppError } from "../kernel/errors";
import { utf8 } from "./encoding";

const BLOBS_MAX = 20;
const BLOB_BYTES_MAX = 16 * 1024;
const DOUBLES_MAX = 20;
const INDEX_BYTES_MAX = 96;

export interface DataPoint {
  /** The sampling key. At most 96 bytes. */
  readonly index: string;
  /** Dimensions. At most 20, of 16 KiB together. */
  readonly blobs: readonly string[];
  /** Measures. At most 20, finite. */
  readonly doubles: readonly number[];
}

/** **Errors**: `internal` for a shape that the service would drop without a word. */
export function checkDataPoint(point: DataPoint): DataPoint {
  const blobBytes = point.blobs.reduce((sum, blob) => sum + utf8(blob).length, 0);
  const isValid =
    point.index !== "" &&
    utf8(point.index).length <= INDEX_BYTES_MAX &&
    point.blobs.length <= BLOBS_MAX &&
    blobBytes <= BLOB_BYTES_MAX &&
    point.doubles.length <= DOUBLES_MAX &&
    point.doubles.every(Number.isFinite);
  if (!isValid) throw new AppError("internal", "data point exceeds the limits of Analytics Engine");
  return point;
}

export class Analytics {
  readonly #dataset: AnalyticsEngineDataset;

  constructor(dataset: AnalyticsEngineDataset) {
    this.#dataset = dataset;
  }

  /** Takes no time and tells nothing back: a point may be lost. **Errors**: `internal`, see `checkDataPoint`. */
  write(point: DataPoint): void {
    const { index, blobs, doubles } = checkDataPoint(point);
    this.#dataset.writeDataPoint({ indexes: [index], blobs: [...blobs], doubles: [...doubles] });
  }
}
