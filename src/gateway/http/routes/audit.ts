/** `/api/audit`: the audit trail, for administrators. */
import { reply } from "../answers";
import { inputOf, perform } from "../perform";
import { newRouter } from "../router";
import { query } from "../validate";

export const auditRoutes = newRouter().get("/", query(inputOf("audit.list")), async (c) => {
  return reply(c, await perform(c, "audit.list", null, c.req.valid("query")), { status: 200 });
});
