/** `/api/orders`: names and shapes. */
import { conditional, locatedAt, pageResponse, reply, tagged } from "../answers";
import { inputOf, perform } from "../perform";
import { newRouter } from "../router";
import { body, idParam, query } from "../validate";

export const ordersRoutes = newRouter()
  .post("/", body(inputOf("orders.place")), async (c) => {
    const outcome = await perform(c, "orders.place", null, c.req.valid("json"));
    return reply(c, outcome, { status: 201, headers: locatedAt("/api/orders") });
  })
  .get("/", query(inputOf("orders.list")), async (c) => {
    return pageResponse(c, await perform(c, "orders.list", null, c.req.valid("query")));
  })
  .get("/:id", idParam, async (c) => {
    return conditional(c, await perform(c, "orders.get", c.req.valid("param").id, null));
  })
  .get("/:id/history", idParam, async (c) => {
    return reply(c, await perform(c, "orders.history", c.req.valid("param").id, null), { status: 200 });
  })
  .patch("/:id", idParam, body(inputOf("orders.changeStatus")), async (c) => {
    const outcome = await perform(c, "orders.changeStatus", c.req.valid("param").id, c.req.valid("json"));
    return reply(c, outcome, { status: 200, headers: tagged });
  });
