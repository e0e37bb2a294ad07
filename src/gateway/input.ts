/** Input of GraphQL, RPC and service bindings, read by the same schemas as REST's. */

import { done, type Outcome, refuse, type Violation } from "../kernel/errors";
import { onFirstCall } from "../kernel/on-first-call";
import * as z from "../kernel/schema";
import { violationsOf } from "../kernel/violations";

/** An id. Upper case is read as lower case, as RFC 9562 asks. */
export const idSchema = onFirstCall(() =>
  z.pipe(z.string().check(z.toLowerCase()), z.uuid("Must be a UUID.")),
);

/** An object of nothing but one. */
export const byIdSchema = onFirstCall(() => z.object({ id: idSchema() }));
const target = onFirstCall(() =>
  z.object({
    id: idSchema(),
    expectedVersion: z.nullish(z.int().check(z.minimum(1, "Must be at least 1."))),
  }),
);

/** What is asked for. **Errors**: `validation_failed`. */
export function readId(id: unknown): Outcome<string> {
  const read = readInput(byIdSchema, { id });
  return read.ok ? done(read.value.id) : read;
}

/** What a change is for, and the version that it expects, as `If-Match`. **Errors**: `validation_failed`. */
export function readTarget(given: { readonly id: unknown; readonly expectedVersion?: unknown }) {
  return readInput(target, given);
}

/**
 * **Errors**: `validation_failed`, with pointers into the input.
 *
 * @param names what the protocol calls a field that has another name in the schema
 */
export function readInput<T extends z.ZodMiniType>(
  schema: () => T,
  input: unknown,
  names: Readonly<Record<string, string>> = {},
): Outcome<z.infer<T>> {
  const parsed = schema().safeParse(input);
  if (parsed.success) return done(parsed.data);
  return refuse("validation_failed", "The request is not valid; `errors` points at each field.", {
    violations: renamed(violationsOf(parsed.error.issues), names),
  });
}

/** Pointers of a use case's refusal in the protocol's words too: REST's lists call theirs `#/query/cursor`. */
export function renamed(
  violations: readonly Violation[],
  names: Readonly<Record<string, string>>,
): readonly Violation[] {
  return violations.map((violation) => {
    const name = /^#\/(?:query\/)?([^/]+)$/.exec(violation.pointer)?.[1] ?? "";
    const own = names[name];
    return own === undefined ? violation : { ...violation, pointer: `#/${own}` };
  });
}

/** Without the members that are null or undefined: an optional filter that is null is no filter. */
export function present(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== null && value !== undefined),
  );
}
