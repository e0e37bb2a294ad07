/** `/api/limits/:client`: a client's or a plan's limit, for administrators. */

import { parseLimitSubject, setLimitSchema } from "../../../services/operations/limits";
import { answer } from "../problem";
import { newRouter } from "../router";
import { body, clientParam } from "../validate";

export const limitsRoutes = newRouter()
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
