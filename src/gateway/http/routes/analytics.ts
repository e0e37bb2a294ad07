/** `/api/analytics`: counts for administrators. */

import { signupsQuery } from "../../../services/operations/analytics";
import { answer } from "../problem";
import { newRouter } from "../router";
import { query } from "../validate";

export const analyticsRoutes = newRouter().get("/signups", query(signupsQuery), async (c) => {
  const outcome = await c.var.services.analytics.signups(c.var.actor, c.req.valid("query"));
  return answer(c, outcome, (data) => c.json({ data, nextCursor: null }));
});
