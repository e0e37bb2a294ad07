/** Refusals and failures as problem documents. Source: RFC 9457. */
import type { Context } from "hono";
import { type AppError, ERROR_CATALOGUE, type Outcome, type Refusal } from "../../kernel/errors";
import { ERROR_MAP } from "../error-map";
import type { GatewayEnv } from "../request-context";

/** The refusal as this request's answer. */
export function problem(c: Context<GatewayEnv>, refusal: Refusal): Response {
  const status = ERROR_MAP[refusal.code].http;
  const body = {
    type: `/problems/${refusal.code}`,
    title: ERROR_CATALOGUE[refusal.code].title,
    status,
    detail: refusal.detail,
    instance: c.req.path,
    code: refusal.code,
    requestId: c.get("requestId"),
    ...(refusal.violations === undefined ? {} : { errors: refusal.violations }),
    ...refusal.extensions,
  };
  c.header("Content-Type", "application/problem+json");
  c.header("Cache-Control", "no-store");
  if (refusal.retryAfterSeconds !== undefined) c.header("Retry-After", String(refusal.retryAfterSeconds));
  if (status === 401)
    c.header("WWW-Authenticate", challenge(refusal.code, c.req.header("authorization") !== undefined));
  c.set("errorCode", refusal.code);
  return c.body(JSON.stringify(body), status);
}

/** A route's last line: the value shaped, or the refusal as a problem. */
export function answer<T>(
  c: Context<GatewayEnv>,
  outcome: Outcome<T>,
  shape: (value: T) => Response,
): Response {
  return outcome.ok ? shape(outcome.value) : problem(c, outcome.refusal);
}

/** A failure as a refusal: what the client may know of it. The error itself goes to the log. */
export function refusalOf(error: AppError): Refusal {
  const { code } = error;
  return {
    code,
    detail: ERROR_CATALOGUE[code].explanation,
    ...(error.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: error.retryAfterSeconds }),
  };
}

/** A bare challenge when no token was sent, an error when one was. Source: RFC 6750, section 3. */
function challenge(code: Refusal["code"], wasTokenSent: boolean): string {
  switch (code) {
    case "unauthenticated":
      return wasTokenSent ? 'Bearer realm="meridian", error="invalid_token"' : 'Bearer realm="meridian"';
    case "token_expired":
      return 'Bearer realm="meridian", error="invalid_token", error_description="The token has expired"';
    case "token_revoked":
      return 'Bearer realm="meridian", error="invalid_token", error_description="The token has been revoked"';
    default:
      return 'Bearer realm="meridian"';
  }
}
