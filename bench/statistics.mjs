/** The few numbers that a benchmark needs. */

export function median(values) {
  return quantile(values, 0.5);
}

/** Between the two neighbours, linearly. */
export function quantile(values, fraction) {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * fraction;
  const [low, high] = [Math.floor(place), Math.ceil(place)];
  return sorted[low] + (sorted[high] - sorted[low]) * (place - low);
}

/** @returns {import("./plot.mjs").Spread} */
export function spreadOf(values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}
