/** How much one call may do: D1 ends a long statement, and an invocation has a bound of queries. */
export interface StepBound {
  readonly rows: number;
  readonly steps: number;
}

/**
 * Repeats a step of clean-up until one handles fewer rows than it may, which means that none is left, or until the bound
 * is reached. What is left then waits for the next call.
 *
 * @param step handles at most the given number of rows, and returns how many it handled
 * @returns how many rows all steps handled
 */
export async function inSteps(
  { rows, steps }: StepBound,
  step: (rowsMax: number) => Promise<number>,
): Promise<number> {
  let total = 0;
  for (let taken = 0; taken < steps; taken += 1) {
    const handled = await step(rows);
    total += handled;
    if (handled < rows) break;
  }
  return total;
}
