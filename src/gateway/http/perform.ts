/** A route's call of its use case, whose input the route's validators have read. */
import type { Context } from "hono";
import type { Outcome } from "../../kernel/errors";
import { RequestCall } from "../request-call";
import type { GatewayEnv } from "../request-context";
import { type InputOf, runUseCase, type TargetOf, type UseCaseName, type ValueOf } from "../run-use-case";
import { USE_CASES } from "../use-cases";
import { preconditionOf } from "./precondition";

/** Runs a use case. Authentication and revocation were checked before. **Errors**: as `runUseCase`. */
export function perform<N extends UseCaseName>(
  c: Context<GatewayEnv>,
  name: N,
  target: TargetOf<N>,
  input: InputOf<N>,
): Promise<Outcome<ValueOf<N>>> {
  const terms = USE_CASES[name].takesPrecondition ? { precondition: preconditionOf(c) } : undefined;
  return runUseCase(new RequestCall(c, "rest"), name, target, input, terms);
}

/** The schema of a use case's input, for `body` and `query`. */
export function inputOf<N extends UseCaseName>(name: N): (typeof USE_CASES)[N]["input"] {
  return USE_CASES[name].input;
}
