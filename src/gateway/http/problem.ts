/** Refusals and failures as answers: problem documents, or what the path's protocol has in their place. Source: RFC 9457. */
import type { Context } from "hono";
import { ERROR_CATALOGUE, type Outcome, type Refusal } from "../../kernel/errors";
import { ERROR_MAP } from "../error-map";
import type { RenderRefusal } from "../refusal-rendering";
import type { GatewayEnv } from "../request-context";

/** The refusal as this request's answer, in the protocol of its path: the same status and headers in each. */
export function problem(c: Context<GatewayEnv>, refusal: Refusal): Response {
  const status = ERROR_MAP[refusal.code].http;
  const render = c.get("renderRefusal") ?? renderProblem;
  const request = { requestId: c.get("requestId"), path: c.req.path, headers: c.req.raw.headers };
  const rendered = render(refusal, request, status);
  c.header("Content-Type", rendered.contentType);
  c.header("Cache-Control", "no-store");
  for (const [name, value] of Object.entries(rendered.headers ?? {})) c.header(name, value);
  if (refusal.retryAfterSeconds !== undefined) c.header("Retry-After", String(refusal.retryAfterSeconds));
  if (status === 401)
    c.header("WWW-Authenticate", challenge(refusal.code, c.req.header("authorization") !== undefined));
  c.set("errorCode", refusal.code);
  return c.newResponse(rendered.body, rendered.status ?? status);
}

const renderProblem: RenderRefusal = (refusal, { path, requestId }, status) => ({
  contentType: "application/problem+json",
  body: JSON.stringify({
    type: `/problems/${refusal.code}`,
    title: ERROR_CATALOGUE[refusal.code].title,
    status,
    detail: refusal.detail,
    instance: path,
    code: refusal.code,
    requestId,
    ...(refusal.violations === undefined ? {} : { errors: refusal.violations }),
    ...refusal.extensions,
  }),
});

/** A route's last line: the value shaped, or the refusal as a problem. */
export function answer<T>(
  c: Context<GatewayEnv>,
  outcome: Outcome<T>,
  shape: (value: T) => Response,
): Response {
  return outcome.ok ? shape(outcome.value) : problem(c, outcome.refusal);
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
