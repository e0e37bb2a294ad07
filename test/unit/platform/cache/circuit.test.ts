import { expect, test } from "vitest";
import { Circuit } from "../../../../src/platform/cache/circuit";

test("after three failures in a row nothing is tried for the time, then one probe, whose success closes it", () => {
  const circuit = new Circuit({ failuresMax: 3, openMs: 1_000 });
  expect([circuit.failed(0), circuit.failed(0), circuit.allows(0)]).toEqual([false, false, true]);
  expect(circuit.failed(0)).toBe(true);
  expect([circuit.allows(1), circuit.allows(999)]).toEqual([false, false]);
  expect([circuit.allows(1_000), circuit.allows(1_000)]).toEqual([true, false]);
  circuit.succeeded();
  expect([circuit.allows(1_001), circuit.allows(1_001)]).toEqual([true, true]);
});

test("a probe that fails, or never ends, keeps it open for another time", () => {
  const circuit = new Circuit({ failuresMax: 1, openMs: 1_000 });
  circuit.failed(0);
  expect(circuit.allows(1_000)).toBe(true);
  expect(circuit.failed(1_500)).toBe(false);
  expect([circuit.allows(2_400), circuit.allows(2_500)]).toEqual([false, true]);
  expect([circuit.allows(3_499), circuit.allows(3_500)]).toEqual([false, true]);
});

test("a success in between starts the count anew", () => {
  const circuit = new Circuit({ failuresMax: 2, openMs: 1_000 });
  circuit.failed(0);
  circuit.succeeded();
  circuit.failed(0);
  expect(circuit.allows(0)).toBe(true);
});
