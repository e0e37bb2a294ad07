/**
 * What is made when it is first asked for, once an isolate. An isolate mostly serves a few routes, and what every module
 * makes as it is loaded is paid before the first of its requests.
 */

/**
 * Returns a function that makes the value once. `scripts/build.mjs` leaves out of the bundle what no module uses.
 *
 * @param make has no effect but its result, because it may run at any time. When it throws, the next call tries again.
 */
export function onFirstCall<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
