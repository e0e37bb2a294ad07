/** What resolvers get of a request: a way to run its use cases, and one set of loaders. */
import type { GraphQLResolveInfo } from "graphql";
import type { Outcome } from "../../kernel/errors";
import type { RequestCall } from "../request-call";
import { type ByIdName, callUseCase, type Given, type ValueOf } from "../run-use-case";
import { USE_CASES } from "../use-cases";
import { refusalError } from "./errors";
import { Loaders } from "./loaders";

/** What connections call the members of a list's query. */
export const NAMES = { limit: "first", cursor: "after" } as const;

export interface GraphqlContext extends Record<PropertyKey, unknown> {
  readonly call: RequestCall;
  /** Of the request or, where it changes something, of the mutation that runs: it may change what the one before has read. */
  loaders: Loaders;
}

export function graphqlContext(call: RequestCall): GraphqlContext {
  return { call, loaders: new Loaders(call) };
}

/** Returns the value of an outcome. **Errors**: its refusal, as the field's error. */
export function fieldValue<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw refusalError(outcome.refusal);
}

/**
 * Runs a root field's use case. One request may hold it several times, so an `Idempotency-Key` is of the field's alias. A
 * field without one has the same key in every protocol. **Errors**: those of `callUseCase`, as the field's error.
 */
export async function resolveBy<N extends ByIdName>(
  context: GraphqlContext,
  { path, fieldName }: GraphQLResolveInfo,
  name: N,
  given: Omit<Given, "place"> = {},
): Promise<ValueOf<N>> {
  if (!USE_CASES[name].isSafe) context.loaders = new Loaders(context.call);
  const place = path.key === fieldName ? {} : { place: String(path.key) };
  return fieldValue(await callUseCase(context.call, name, { ...given, ...place }));
}
