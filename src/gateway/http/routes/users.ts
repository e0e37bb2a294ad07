/** `/api/users`: contract and handlers. */
import { type Context, Hono } from "hono";
import type { Page } from "../../../kernel/cursor";
import { entityTag, isNotModified, parseIfMatch } from "../../../kernel/entity-tag";
import type { Outcome } from "../../../kernel/errors";
import {
  listUsersSchema,
  patchUserSchema,
  replaceUserSchema,
  signUpSchema,
  type User,
} from "../../../services/users";
import type { GatewayEnv } from "../../request-context";
import { answer, problem } from "../problem";
import { body, idParam, query } from "../validate";

export const usersRoutes = new Hono<GatewayEnv>()
  .post("/", body(signUpSchema), async (c) => {
    const outcome = await c.var.services.users.signUp(c.req.valid("json"));
    return answer(c, outcome, (user) => {
      c.header("Location", `/api/users/${user.id}`);
      return userResponse(c, user, 201);
    });
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
    return conditionalUser(c, await c.var.services.users.get(actor, actor.userId));
  })
  .get("/:id", idParam, async (c) => {
    return conditionalUser(c, await c.var.services.users.get(c.var.actor, c.req.valid("param").id));
  })
  .put("/:id", idParam, body(replaceUserSchema), async (c) => {
    const { id } = c.req.valid("param");
    const precondition = parseIfMatch(c.req.header("if-match"));
    const outcome = await c.var.services.users.replace(c.var.actor, id, c.req.valid("json"), precondition);
    return answer(c, outcome, (user) => userResponse(c, user));
  })
  .patch("/:id", idParam, body(patchUserSchema), async (c) => {
    const { id } = c.req.valid("param");
    const precondition = parseIfMatch(c.req.header("if-match"));
    const outcome = await c.var.services.users.patch(c.var.actor, id, c.req.valid("json"), precondition);
    return answer(c, outcome, (user) => userResponse(c, user));
  })
  .delete("/:id", idParam, async (c) => {
    const precondition = parseIfMatch(c.req.header("if-match"));
    const outcome = await c.var.services.users.delete(c.var.actor, c.req.valid("param").id, precondition);
    return answer(c, outcome, () => c.body(null, 204));
  });

function userResponse(c: Context<GatewayEnv>, user: User, status: 200 | 201 = 200): Response {
  c.header("ETag", entityTag(user.version));
  return c.json(user, status);
}

function conditionalUser(c: Context<GatewayEnv>, outcome: Outcome<User>): Response {
  return answer(c, outcome, (user) => {
    if (!isNotModified(c.req.header("if-none-match"), user.version)) return userResponse(c, user);
    c.header("ETag", entityTag(user.version));
    return c.body(null, 304);
  });
}

/** `Link: rel="next"` repeats the query with the next page's cursor. Source: RFC 8288. */
function pageResponse(c: Context<GatewayEnv>, page: Page<unknown>): Response {
  if (page.nextCursor !== null) {
    const next = new URL(c.req.url);
    next.searchParams.set("cursor", page.nextCursor);
    c.header("Link", `<${next.pathname}${next.search}>; rel="next"`);
  }
  return c.json(page);
}
