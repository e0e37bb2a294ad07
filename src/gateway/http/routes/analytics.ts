/** `/api/analytics`: counts for administrators. */

import { inputOf, perform } from "../perform";
import { answer } from "../problem";
import { newRouter } from "../router";
import { query } from "../validate";

export const analyticsRoutes = newRouter().get("/signups", query(inputOf("analytics.signups")), async (c) => {
  const outcome = await perform(c, "analytics.signups", null, c.req.valid("query"));
  return answer(c, outcome, (data) => c.json({ data, nextCursor: null }));
});
