/** `/api/limits/:client`: a client's or a plan's limit, for administrators. Names and shapes. */
import { USE_CASES } from "../../use-cases";
import { reply } from "../answers";
import { inputOf, perform } from "../perform";
import { newRouter } from "../router";
import { body, clientParam } from "../validate";

const client = clientParam(USE_CASES["limits.show"].target);

export const limitsRoutes = newRouter()
  .get("/:client", client, async (c) => {
    return reply(c, await perform(c, "limits.show", c.req.valid("param").client, null), { status: 200 });
  })
  .put("/:client", client, body(inputOf("limits.set")), async (c) => {
    const outcome = await perform(c, "limits.set", c.req.valid("param").client, c.req.valid("json"));
    return reply(c, outcome, { status: 200 });
  })
  .delete("/:client", client, async (c) => {
    return reply(c, await perform(c, "limits.clear", c.req.valid("param").client, null), { status: 204 });
  });
