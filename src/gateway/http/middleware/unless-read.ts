/** What only concerns requests that bring something: a read passes it by in one step, however much there is of it. */
import type { MiddlewareHandler } from "hono";
import { every } from "hono/combine";
import type { GatewayEnv } from "../../request-context";

/** The middleware in this order, for every method but GET and HEAD, which have no body. */
export function unlessRead(
  ...middleware: readonly MiddlewareHandler<GatewayEnv>[]
): MiddlewareHandler<GatewayEnv> {
  const all = every(...middleware);
  return (c, next) => (c.req.method === "GET" || c.req.method === "HEAD" ? next() : all(c, next));
}
