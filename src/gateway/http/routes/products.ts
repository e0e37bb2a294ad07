/** `/api/products`: names and shapes. */
import { conditional, locatedAt, pageResponse, reply, tagged } from "../answers";
import { inputOf, perform } from "../perform";
import { newRouter } from "../router";
import { body, idParam, query } from "../validate";

export const productsRoutes = newRouter()
  .post("/", body(inputOf("products.create")), async (c) => {
    const outcome = await perform(c, "products.create", null, c.req.valid("json"));
    return reply(c, outcome, { status: 201, headers: locatedAt("/api/products") });
  })
  .get("/", query(inputOf("products.list")), async (c) => {
    return pageResponse(c, await perform(c, "products.list", null, c.req.valid("query")));
  })
  .get("/:id", idParam, async (c) => {
    return conditional(c, await perform(c, "products.get", c.req.valid("param").id, null));
  })
  .patch("/:id", idParam, body(inputOf("products.patch")), async (c) => {
    const outcome = await perform(c, "products.patch", c.req.valid("param").id, c.req.valid("json"));
    return reply(c, outcome, { status: 200, headers: tagged });
  })
  .delete("/:id", idParam, async (c) => {
    return reply(c, await perform(c, "products.delete", c.req.valid("param").id, null), { status: 204 });
  });
