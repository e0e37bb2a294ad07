/**
 * `X-Request-Id`: the client's own where it is one that may be logged, else a new one; on every answer.
 *
 * As Hono's middleware of this name, which puts the header on before there is an answer: then Hono makes a `Headers` for it,
 * and copies that into the answer.
 */
import { createMiddleware } from "hono/factory";
import type { NewId } from "../../../kernel/ids";
import type { GatewayEnv } from "../../request-context";

const LENGTH_MAX = 128;
const UNFIT = /[^\w\-=]/;

export function requestId(newId: NewId) {
  return createMiddleware<GatewayEnv>(async (c, next) => {
    const presented = c.req.header("x-request-id");
    const isFit = presented !== undefined && presented.length <= LENGTH_MAX && !UNFIT.test(presented);
    const id = isFit && presented !== "" ? presented : newId();
    c.set("requestId", id);
    await next();
    c.res.headers.set("X-Request-Id", id);
  });
}
