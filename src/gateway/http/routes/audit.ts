/** `/api/audit`: who did what to whom, for administrators. */
import { Hono } from "hono";
import * as z from "zod";
import { authorize } from "../../../kernel/permissions";
import type { GatewayEnv } from "../../request-context";
import { problem } from "../problem";
import { query } from "../validate";

const label = z
  .string()
  .regex(
    /^(?:anonymous|unknown|[a-z]{1,20}:[A-Za-z0-9_.-]{1,100})$/,
    "Must be like `user:<id>`, `system:<name>` or `anonymous`.",
  )
  .meta({ maxLength: 121 });

/** Which entries, and from where on. */
export const auditQuerySchema = z.strictObject({
  actor: label.optional(),
  subject: label.optional(),
  /** `nextCursor` or the `id` of an entry. */
  after: z
    .string()
    .regex(/^[0-9]{1,15}$/, "Must be the id of an entry.")
    .meta({ maxLength: 15 })
    .optional(),
  limit: z
    .string()
    .regex(/^[0-9]{1,9}$/, "Must be a whole number.")
    .transform(Number)
    .pipe(z.int().min(1, "Must be at least 1.").max(100, "Must be at most 100."))
    .meta({ type: "integer", minimum: 1, maximum: 100, default: 20, pattern: undefined })
    .default(20),
});

export const auditRoutes = new Hono<GatewayEnv>().get("/", query(auditQuerySchema), async (c) => {
  const permitted = authorize(c.var.actor, "audit.read");
  if (!permitted.ok) return problem(c, permitted.refusal);
  return c.json(await c.var.services.audit.list(c.req.valid("query")));
});
