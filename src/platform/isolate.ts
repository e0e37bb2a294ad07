/**
 * Everything that outlives a request. The owners declare here what they keep, and tests forget all of it in one place.
 *
 * An isolate serves many requests at once, so what it keeps are values: never a promise, a stream, a stub or a client,
 * for those belong to the request that made them. What is the same in every isolate (a schema, a statement) is a constant
 * and needs no place here: see `kernel/on-first-call`.
 */

const forgetters: (() => void)[] = [];

/**
 * Declares a value that the isolate keeps; at module level only. It is made when it is first asked for, because neither
 * the clock nor randomness can be read before the first request.
 */
export function kept<T extends object>(make: () => T): () => T {
  let value: T | undefined;
  forgetters.push(() => {
    value = undefined;
  });
  return () => {
    value ??= make();
    return value;
  };
}

/** As `kept`, a value for each set of bindings or configuration, of which an isolate has one. */
export function keptFor<On extends object, T extends object>(make: (on: On) => T): (on: On) => T {
  const values = kept(() => new WeakMap<On, T>());
  return (on) => {
    const known = values().get(on);
    if (known !== undefined) return known;
    const made = make(on);
    values().set(on, made);
    return made;
  };
}

/** Forgets everything, as a new isolate would. For tests. */
export function resetIsolate(): void {
  for (const forget of forgetters) forget();
}
