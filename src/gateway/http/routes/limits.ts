/** `/api/limits/:client`: a client's or a plan's limit, for administrators. */
import { Hono } from "hono";
import { parseLimitSubject, setLimitSchema } from "../../../services/limits";
import type { GatewayEnv } from "../../request-context";
import { answer } from "../problem";
import { body, clientParam } from "../validate";

export const limitsRoutes = new Hono<GatewayEnv>()
  .get("/:client", clientParam(parseLimitSubject), async (c) => {
    const outcome = await c.var.services.limits.show(c.var.actor, c.req.valid("param").client);
    return answer(c, outcome, (limit) => c.json(limit));
  })
  .put("/:client", clientParam(parseLimitSubject), body(setLimitSchema), async (c) => {
    const { client } = c.req.valid("param");
    const outcome = await c.var.services.limits.set(c.var.actor, client, c.req.valid("json"));
    return answer(c, outcome, (limit) => c.json(limit));
  })
  .delete("/:client", clientParam(parseLimitSubject), async (c) => {
    const outcome = await c.var.services.limits.clear(c.var.actor, c.req.valid("param").client);
    return answer(c, outcome, () => c.body(null, 204));
  });
