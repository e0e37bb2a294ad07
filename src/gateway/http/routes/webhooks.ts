/** `/api/webhooks`: endpoints of those without a Worker. Names and shapes. */
import { reply } from "../answers";
import { inputOf, perform } from "../perform";
import { newRouter } from "../router";
import { body, idParam, query } from "../validate";

const located = ({ id }: { readonly id: string }) => ({ Location: `/api/webhooks/${id}` });

export const webhooksRoutes = newRouter()
  .post("/", body(inputOf("webhooks.create")), async (c) => {
    const outcome = await perform(c, "webhooks.create", null, c.req.valid("json"));
    return reply(c, outcome, { status: 201, headers: located });
  })
  .get("/", query(inputOf("webhooks.list")), async (c) => {
    return reply(c, await perform(c, "webhooks.list", null, c.req.valid("query")), { status: 200 });
  })
  .get("/:id", idParam, async (c) => {
    return reply(c, await perform(c, "webhooks.get", c.req.valid("param").id, null), { status: 200 });
  })
  .patch("/:id", idParam, body(inputOf("webhooks.patch")), async (c) => {
    const outcome = await perform(c, "webhooks.patch", c.req.valid("param").id, c.req.valid("json"));
    return reply(c, outcome, { status: 200 });
  })
  .delete("/:id", idParam, async (c) => {
    return reply(c, await perform(c, "webhooks.remove", c.req.valid("param").id, null), { status: 204 });
  })
  .post("/:id/rotate-secret", idParam, async (c) => {
    const outcome = await perform(c, "webhooks.rotateSecret", c.req.valid("param").id, null);
    return reply(c, outcome, { status: 200 });
  })
  .post("/:id/test", idParam, async (c) => {
    return reply(c, await perform(c, "webhooks.sendTest", c.req.valid("param").id, null), { status: 202 });
  })
  .get("/:id/deliveries", idParam, query(inputOf("webhooks.deliveries")), async (c) => {
    const outcome = await perform(c, "webhooks.deliveries", c.req.valid("param").id, c.req.valid("query"));
    return reply(c, outcome, { status: 200 });
  });
