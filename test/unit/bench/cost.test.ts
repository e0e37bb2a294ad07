import { expect, test } from "vitest";
import { costOf } from "../../../bench/cost.mjs";

test("a call costs its list price, counted between two looks, for a million of the requests that were made there", () => {
  const before = { kvReads: 7, ask: 1 };
  const after = {
    ...{ kvReads: 27, kvWrites: 3, kvDeletes: 1, objectCalls: 10, ask: 5, hit: 6 },
    ...{ d1RowsRead: 1_000, d1RowsWritten: 20, queueMessages: 2 },
  };
  const { perRequest, dollars, total } = costOf(before, after, 100);
  expect(perRequest).toEqual({
    ...{ requests: 1, kvReads: 0.2, kvWrites: 0.04, objectCalls: 0.1, objectRowsWritten: 0.1 },
    ...{ d1RowsRead: 10, d1RowsWritten: 0.2, queueOperations: 0.06 },
  });
  expect(dollars.kvWrites).toBeCloseTo(0.2, 9);
  expect(dollars.d1RowsRead).toBeCloseTo(0.01, 9);
  // 0.30 of requests, 0.10 of KV reads, 0.20 of puts, 0.015 of calls, 0.10 and 0.20 of rows, 0.01 read, 0.024 of the queue.
  expect(total).toBeCloseTo(0.949, 9);
});
