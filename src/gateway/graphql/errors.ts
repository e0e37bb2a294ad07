/** Errors as GraphQL shows them: the contract's code in `extensions.code`, and nothing of what went wrong inside. */
import { GraphQLError } from "graphql";
import { AppError, ERROR_CATALOGUE, type Refusal, refuse } from "../../kernel/errors";
import type { Scope } from "../../platform/scope";
import { refusalOf } from "../error-map";
import type { RequestCall } from "../request-call";
import { extensionsOf } from "./refused";

/** A refusal on its way through graphql-js, which knows thrown errors only. */
class RefusalError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.detail);
    this.refusal = refusal;
  }
}

export function refusalError(refusal: Refusal): Error {
  return new RefusalError(refusal);
}

/** The document itself is at fault: syntax, validation, variables, limits. */
export function requestError(detail: string): GraphQLError {
  return new GraphQLError(detail, { originalError: new RefusalError(invalid(detail)) });
}

/**
 * What the client sees of an error. A refusal is told as it is; what graphql-js finds in the request is its author's to
 * know; anything else is logged and says only that something failed.
 */
export function shownError(
  error: Readonly<Error>,
  call: Pick<RequestCall, "scope" | "onRefusal">,
): GraphQLError {
  const { scope } = call;
  const own = error instanceof GraphQLError ? error : null;
  const cause = causeOf(error);
  const refusal = refusalIn(cause, own, error, scope);
  call.onRefusal(refusal.code);
  return new GraphQLError(refusal.detail, {
    ...(own?.nodes === undefined ? {} : { nodes: own.nodes }),
    ...(own?.source === undefined ? {} : { source: own.source }),
    ...(own?.positions === undefined ? {} : { positions: own.positions }),
    ...(own?.path === undefined ? {} : { path: own.path }),
    extensions: extensionsOf(refusal, scope.requestId),
  });
}

function refusalIn(
  cause: Readonly<Error> | undefined,
  own: GraphQLError | null,
  error: Readonly<Error>,
  scope: Scope,
): Refusal {
  if (cause instanceof RefusalError) return cause.refusal;
  if (own !== null && cause === undefined && isOfRequest(own)) return invalid(own.message);
  if (own === null && REQUEST_FAULTS.has(error.message)) return invalid(error.message);
  scope.log.log("error", "graphql.failed", { error: cause ?? error });
  return cause instanceof AppError
    ? refusalOf(cause)
    : { code: "internal", detail: ERROR_CATALOGUE.internal.explanation };
}

/** What was thrown first; undefined when that was graphql-js speaking for itself. */
function causeOf(error: Readonly<Error>): Readonly<Error> | undefined {
  let cause: Readonly<Error> | undefined = error;
  while (cause instanceof GraphQLError) cause = cause.originalError;
  return cause;
}

/** Before execution all that graphql-js finds is the request's; then only arguments are, and results are ours. */
function isOfRequest({ path, message }: GraphQLError): boolean {
  return path === undefined || message.startsWith("Argument ");
}

/** What graphql-http finds wrong with a request. */
const REQUEST_FAULTS: ReadonlySet<string> = new Set([
  "Unparsable URL",
  "Missing body",
  "Unparsable JSON body",
  "JSON body must be an object",
  "Missing query",
  "Invalid query",
  "Invalid variables",
  "Invalid operationName",
  "Invalid extensions",
]);

function invalid(detail: string): Refusal {
  const code = detail === "Unparsable JSON body" ? "malformed_json" : "validation_failed";
  // Suggestions and excerpts may repeat what was sent; a sentence is enough.
  return refuse(code, detail.slice(0, 500)).refusal;
}
