/** What resolvers get of a request: its use cases, its actor, and one set of loaders. */
import { type Outcome, refuse } from "../../kernel/errors";
import type { Attempt } from "../../platform/idempotency";
import { keyedCall } from "../keyed-call";
import type { RequestCall } from "../request-call";
import { refusalError } from "./errors";
import { Loaders } from "./loaders";

export interface GraphqlContext extends Record<PropertyKey, unknown> {
  readonly call: RequestCall;
  /** Of the request or, where it changes something, of the mutation that runs: what one has read, the next may have changed. */
  loaders: Loaders;
  /** Mutations begun. They run one after another. */
  mutations: number;
}

export function graphqlContext(call: RequestCall): GraphqlContext {
  return { call, loaders: new Loaders(call), mutations: 0 };
}

/**
 * Comes before each mutation. A use case costs the same in every protocol: the request has paid for the first, each
 * further one pays for itself. **Errors**: the gate's refusal, as the field's error.
 */
export async function beginMutation(context: GraphqlContext): Promise<void> {
  context.mutations += 1;
  if (context.mutations === 1) return;
  const refusal = await context.call.admitAgain();
  if (refusal !== null) throw refusalError(refusal);
  context.loaders = new Loaders(context.call);
}

/** The value of an outcome. **Errors**: its refusal, as the field's error. */
export function granted<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw refusalError(outcome.refusal);
}

/**
 * A mutation's use case, at most once under an `Idempotency-Key`. The key's scope is the field's place in the response,
 * for one request may hold several.
 */
export async function mutate<T>(
  { call }: GraphqlContext,
  operation: { readonly path: string; readonly field: string; readonly input: unknown },
  run: (attempt: Attempt<T>) => Promise<Outcome<T>>,
): Promise<T> {
  const route = `${operation.field}:${operation.path}`;
  return granted(await keyedCall(call, { protocol: "graphql", route, input: operation.input }, run));
}

export function refuseUnauthenticated() {
  return refuse("unauthenticated", "This call needs an access token.");
}
