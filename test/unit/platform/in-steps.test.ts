import { expect, test } from "vitest";
import { inSteps } from "../../../src/platform/in-steps";

/** Rows to clean up, and what each step took of them. */
function store(rows: number) {
  const taken: number[] = [];
  const step = async (rowsMax: number) => {
    const handled = Math.min(rows, rowsMax);
    rows -= handled;
    taken.push(handled);
    return handled;
  };
  return { step, taken };
}

const BOUND = { rows: 10, steps: 3 };

test.each([
  ["nothing to do takes one step", 0, [0]],
  ["a step that is not full is the last", 13, [10, 3]],
  ["a full step is followed by another", 20, [10, 10, 0]],
  ["what is over the bound is left for the next call", 45, [10, 10, 10]],
])("%s", async (_, rows, steps) => {
  const { step, taken } = store(rows);
  expect(await inSteps(BOUND, step)).toBe(steps.reduce((sum, count) => sum + count, 0));
  expect(taken).toEqual(steps);
});

test("a step that fails ends the clean-up with its error", async () => {
  await expect(inSteps(BOUND, () => Promise.reject(new Error("away")))).rejects.toThrow("away");
});
