/** What the methods of all services do alike: find their request's call, run its use case, throw refusals. */
import { Code, ConnectError, createContextKey, type HandlerContext } from "@connectrpc/connect";
import { AppError, ERROR_CATALOGUE, type Outcome, type Refusal } from "../../kernel/errors";
import type { Scope } from "../../platform/scope";
import { ERROR_MAP, refusalOf } from "../error-map";
import type { RequestCall } from "../request-call";
import { type ByIdName, callUseCase, type Given, type ValueOf } from "../run-use-case";
import { ErrorDetailSchema } from "./gen/errors/v1/error_detail_pb";
import { CODE_NUMBERS } from "./refused";
import { errorDetailOf } from "./wire-format";

/** Set for each request by the server. */
export const CALL = createContextKey<RequestCall | null>(null);

export function callOf({ values }: HandlerContext): RequestCall {
  const call = values.get(CALL);
  if (call === null) throw new TypeError("an RPC was invoked without its call");
  return call;
}

/** Returns the value of an outcome. **Errors**: its refusal, as a Connect error. */
export function messageValue<T>(outcome: Outcome<T>, call: RequestCall): T {
  if (outcome.ok) return outcome.value;
  call.onRefusal(outcome.refusal.code);
  throw connectErrorOf(outcome.refusal, call.scope);
}

/** Runs a method's use case. **Errors**: those of `callUseCase`, as a Connect error. */
export async function answerBy<N extends ByIdName>(
  context: HandlerContext,
  name: N,
  given: Given = {},
): Promise<ValueOf<N>> {
  const call = callOf(context);
  return messageValue(await callUseCase(call, name, given), call);
}

export function connectErrorOf(refusal: Refusal, scope: Scope): ConnectError {
  const { violations, shortages, violatedPolicies, ...detail } = errorDetailOf(refusal, scope.requestId);
  const value = {
    ...detail,
    violations: violations.map((violation) => ({ ...violation })),
    shortages: shortages.map((shortage) => ({ ...shortage })),
    violatedPolicies: [...violatedPolicies],
  };
  const metadata =
    refusal.retryAfterSeconds === undefined ? {} : { "Retry-After": String(refusal.retryAfterSeconds) };
  const code: Code = CODE_NUMBERS[ERROR_MAP[refusal.code].connect];
  return new ConnectError(refusal.detail, code, metadata, [{ desc: ErrorDetailSchema, value }]);
}

/** What the client sees of whatever was thrown: the library's own findings as they are, failures and bugs masked. */
export function shownError(error: unknown, { scope }: RequestCall): ConnectError {
  if (error instanceof ConnectError) return withDetail(error, scope);
  scope.log.log("error", "rpc.failed", { error });
  const refusal: Refusal =
    error instanceof AppError
      ? refusalOf(error)
      : { code: "internal", detail: ERROR_CATALOGUE.internal.explanation };
  return connectErrorOf(refusal, scope);
}

/** The library speaks of frames, codecs and deadlines, without our detail. */
function withDetail(error: ConnectError, scope: Scope): ConnectError {
  if (error.details.length > 0 || error.code !== Code.InvalidArgument) return error;
  return connectErrorOf({ code: "validation_failed", detail: error.rawMessage.slice(0, 500) }, scope);
}
