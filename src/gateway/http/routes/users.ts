/** `/api/users`: names and shapes. */
import { conditional, locatedAt, pageResponse, reply, tagged } from "../answers";
import { inputOf, perform } from "../perform";
import { problem } from "../problem";
import { newRouter } from "../router";
import { body, idParam, query } from "../validate";

export const usersRoutes = newRouter()
  .post("/", body(inputOf("users.signUp")), async (c) => {
    const outcome = await perform(c, "users.signUp", null, c.req.valid("json"));
    return reply(c, outcome, { status: 201, headers: locatedAt("/api/users") });
  })
  .get("/", query(inputOf("users.list")), async (c) => {
    return pageResponse(c, await perform(c, "users.list", null, c.req.valid("query")));
  })
  .get("/me", async (c) => {
    const actor = c.get("actor");
    if (actor.kind !== "user") {
      return problem(c, { code: "unauthenticated", detail: "This call needs an access token." });
    }
    return conditional(c, await perform(c, "users.get", actor.userId, null));
  })
  .get("/:id", idParam, async (c) => {
    return conditional(c, await perform(c, "users.get", c.req.valid("param").id, null));
  })
  .put("/:id", idParam, body(inputOf("users.replace")), async (c) => {
    const outcome = await perform(c, "users.replace", c.req.valid("param").id, c.req.valid("json"));
    return reply(c, outcome, { status: 200, headers: tagged });
  })
  .patch("/:id", idParam, body(inputOf("users.patch")), async (c) => {
    const outcome = await perform(c, "users.patch", c.req.valid("param").id, c.req.valid("json"));
    return reply(c, outcome, { status: 200, headers: tagged });
  })
  .delete("/:id", idParam, async (c) => {
    return reply(c, await perform(c, "users.delete", c.req.valid("param").id, null), { status: 204 });
  });
