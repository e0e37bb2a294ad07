/** The ends of a request that no route answers: nothing there, not with this method, or an error on the way. */
import type { ErrorHandler, Hono, NotFoundHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { AppError, type ErrorCode, refuseNotFound } from "../../../kernel/errors";
import { createLogger } from "../../../platform/observability/logger";
import { refusalOf } from "../../error-map";
import type { GatewayEnv } from "../../request-context";
import { problem } from "../problem";
import { methodOf, routeOf } from "../route-label";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

/** 404; 405 with `Allow` where other methods answer; 204 with `Allow` to OPTIONS. */
export function unrouted(app: Hono<GatewayEnv>): NotFoundHandler<GatewayEnv> {
  return (c) => {
    const allowed = METHODS.filter((method) => isRouted(app, method, c.req.path));
    if (allowed.length === 0) return problem(c, refuseNotFound().refusal);
    const allow = [...allowed, ...(allowed.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(", ");
    c.header("Allow", allow);
    if (c.req.method === "OPTIONS") return c.body(null, 204);
    return problem(c, { code: "method_not_allowed", detail: `This path answers to ${allow}.` });
  };
}

/** Middleware is registered for all methods; a route for its own. */
function isRouted(app: Hono<GatewayEnv>, method: string, path: string): boolean {
  const [matched] = app.router.match(method, path);
  return matched.some(([[, route]]) => route.method === method);
}

/** Failures say what the catalogue says; bugs say `internal`. Neither shows its message. */
export const failed: ErrorHandler<GatewayEnv> = (error, c) => {
  const code = error instanceof HTTPException ? codeOf(error) : "internal";
  if (code !== "internal") return problem(c, { code, detail: "The request could not be read." });
  const log = c.get("scope")?.log ?? createLogger("info", { requestId: c.get("requestId") });
  log.log("error", "request.failed", {
    method: methodOf(c.req.method),
    route: routeOf(c),
    error,
  });
  return problem(
    c,
    refusalOf(error instanceof AppError ? error : new AppError("internal", "bug", { cause: error })),
  );
};

/** Hono's own exceptions: its validator throws 400 for JSON that does not parse. */
function codeOf({ status }: HTTPException): ErrorCode {
  switch (status) {
    case 400:
      return "malformed_json";
    case 401:
      return "unauthenticated";
    case 413:
      return "payload_too_large";
    default:
      return "internal";
  }
}
