import { expect, test } from "vitest";
import { Analytics, type DataPoint } from "../../../src/platform/analytics";

const POINT: DataPoint = { index: "user_signup", blobs: ["user_signup"], doubles: [1] };

function dataset() {
  const points: unknown[] = [];
  return { points, analytics: new Analytics({ writeDataPoint: (point) => void points.push(point) }) };
}

test("a data point is written in the shape that Analytics Engine takes", () => {
  const { points, analytics } = dataset();
  analytics.write(POINT);
  expect(points).toEqual([{ indexes: ["user_signup"], blobs: ["user_signup"], doubles: [1] }]);
});

test.each<[string, Partial<DataPoint>]>([
  ["21 blobs", { blobs: Array(21).fill("x") }],
  ["blobs over 16 KiB", { blobs: ["x".repeat(16_385)] }],
  ["21 doubles", { doubles: Array(21).fill(1) }],
  ["a measure that is no number", { doubles: [Number.NaN] }],
  ["an index over 96 bytes", { index: "é".repeat(49) }],
  ["no index", { index: "" }],
])("%s, which the service would drop without a word, is refused here", (_, change) => {
  const { points, analytics } = dataset();
  expect(() => analytics.write({ ...POINT, ...change })).toThrow("limits of Analytics Engine");
  expect(points).toEqual([]);
});
