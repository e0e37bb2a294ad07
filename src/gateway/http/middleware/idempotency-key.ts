/** What an `Idempotency-Key` must look like, on every unsafe call: those that record nothing included. */
import { createMiddleware } from "hono/factory";
import { isIdempotencyKey } from "../../../platform/idempotency";
import type { GatewayEnv } from "../../request-context";
import { problem } from "../problem";

/** **Errors**: `validation_failed`. */
export const idempotencyKey = createMiddleware<GatewayEnv>(async (c, next) => {
  const key = c.req.header("idempotency-key");
  if (key === undefined || isIdempotencyKey(key) || isSafe(c.req.method)) return await next();
  return problem(c, {
    code: "validation_failed",
    detail: "The idempotency key is not valid.",
    violations: [
      {
        pointer: "#/header/Idempotency-Key",
        code: "invalid_format",
        message: "Must be 1 to 255 visible ASCII characters.",
      },
    ],
  });
});

function isSafe(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}
