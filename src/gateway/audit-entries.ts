/** The audit trail's entries, as administrators list them. */
import { done, type Outcome } from "../kernel/errors";
import { onFirstCall } from "../kernel/on-first-call";
import { limitSchema } from "../kernel/paging";
import { authorize } from "../kernel/permissions";
import * as z from "../kernel/schema";
import type { AuditTrail } from "../platform/audit";
import type { Call } from "../platform/call";

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

/** Selects entries, and where the page begins. */
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

/** Returns a page of entries. **Errors**: `unauthenticated`, `forbidden`. **Cost**: 1 D1 round trip. */
export async function listAuditEntries(
  audit: AuditTrail,
  { actor }: Call,
  query: z.Made<typeof auditQuerySchema>,
): Promise<Outcome<Awaited<ReturnType<AuditTrail["list"]>>>> {
  const permitted = authorize(actor, "audit.read");
  return permitted.ok ? done(await audit.list(query)) : permitted;
}
