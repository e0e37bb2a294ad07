/** `/api/analytics`: counts for administrators. */
import { Hono } from "hono";
import { signupsQuery } from "../../../services/analytics";
import type { GatewayEnv } from "../../request-context";
import { answer } from "../problem";
import { query } from "../validate";

export const analyticsRoutes = new Hono<GatewayEnv>().get("/signups", query(signupsQuery), async (c) => {
  const outcome = await c.var.services.analytics.signups(c.var.actor, c.req.valid("query"));
  return answer(c, outcome, (data) => c.json({ data, nextCursor: null }));
});
