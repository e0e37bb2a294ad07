/**
 * Dependencies of which some are others. What `kernel/lazily.ts` makes has its members on its prototype, so that a
 * spread would lose them.
 */
export function replaced<Dependencies extends object>(
  dependencies: Dependencies,
  others: Partial<Dependencies>,
): Dependencies {
  return Object.create(dependencies, Object.getOwnPropertyDescriptors(others)) as Dependencies;
}
