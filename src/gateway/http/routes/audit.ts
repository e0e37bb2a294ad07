/** `/api/audit`: who did what to whom, for administrators. */

import { onFirstCall } from "../../../kernel/on-first-call";
import { limitSchema } from "../../../kernel/paging";
import { authorize } from "../../../kernel/permissions";
import * as z from "../../../kernel/schema";
import { problem } from "../problem";
import { newRouter } from "../router";
import { query } from "../validate";

const label = onFirstCall(() =>
  z
    .string()
    .check(
      z.regex(
        /^(?:anonymous|unknown|[a-z]{1,20}:[A-Za-z0-9_.-]{1,100})$/,
        "Must be like `user:<id>`, `system:<name>` or `anonymous`.",
      ),
      z.meta({ maxLength: 121 }),
    ),
);

/** Which entries, and from where on. */
export const auditQuerySchema = onFirstCall(() =>
  z.strictObject({
    actor: z.optional(label()),
    subject: z.optional(label()),
    /** `nextCursor` or the `id` of an entry. */
    after: z.optional(
      z.string().check(z.regex(/^[0-9]{1,15}$/, "Must be the id of an entry."), z.meta({ maxLength: 15 })),
    ),
    limit: limitSchema(),
  }),
);

export const auditRoutes = newRouter().get("/", query(auditQuerySchema), async (c) => {
  const permitted = authorize(c.var.actor, "audit.read");
  if (!permitted.ok) return problem(c, permitted.refusal);
  return c.json(await c.var.services.audit.list(c.req.valid("query")));
});
