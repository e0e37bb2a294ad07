/** `/api/users`: contract and handlers. */

import { entityTag } from "../../../kernel/entity-tag";
import {
  listUsersSchema,
  patchUserSchema,
  replaceUserSchema,
  signUpSchema,
  type User,
} from "../../../services/users";
import { conditional, pageResponse } from "../answers";
import { once } from "../once";
import { preconditionOf } from "../precondition";
import { answer, problem } from "../problem";
import { newRouter } from "../router";
import { body, idParam, query } from "../validate";

const etag = ({ version }: User) => ({ ETag: entityTag(version) });
const located = (user: User) => ({ Location: `/api/users/${user.id}`, ...etag(user) });

export const usersRoutes = newRouter()
  .post("/", body(signUpSchema), async (c) => {
    const { services } = c.var;
    return await once(c, { status: 201, headers: located }, (attempt) =>
      services.users.signUp(c.req.valid("json"), attempt),
    );
  })
  .get("/", query(listUsersSchema), async (c) => {
    const outcome = await c.var.services.users.list(c.var.actor, c.req.valid("query"));
    return answer(c, outcome, (page) => pageResponse(c, page));
  })
  .get("/me", async (c) => {
    const { actor } = c.var;
    if (actor.kind !== "user") {
      return problem(c, { code: "unauthenticated", detail: "This call needs an access token." });
    }
    return conditional(c, await c.var.services.users.get(actor, actor.userId));
  })
  .get("/:id", idParam, async (c) => {
    return conditional(c, await c.get("services").users.get(c.get("actor"), c.req.valid("param").id));
  })
  .put("/:id", idParam, body(replaceUserSchema), async (c) => {
    const { actor, services } = c.var;
    const { id } = c.req.valid("param");
    return await once(c, { status: 200, headers: etag }, (attempt) =>
      services.users.replace(actor, id, c.req.valid("json"), preconditionOf(c), attempt),
    );
  })
  .patch("/:id", idParam, body(patchUserSchema), async (c) => {
    const { actor, services } = c.var;
    const { id } = c.req.valid("param");
    return await once(c, { status: 200, headers: etag }, (attempt) =>
      services.users.patch(actor, id, c.req.valid("json"), preconditionOf(c), attempt),
    );
  })
  .delete("/:id", idParam, async (c) => {
    const { actor, services } = c.var;
    return await once<null>(c, { status: 204 }, (attempt) =>
      services.users.delete(actor, c.req.valid("param").id, preconditionOf(c), attempt),
    );
  });
