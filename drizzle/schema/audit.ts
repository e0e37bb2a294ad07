/** The audit trail: who did what to whom. Only `platform/audit` imports it. */
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const auditLog = sqliteTable(
  "audit_log",
  {
    /** Ascends in order of commit: D1 has one writer. */
    sequence: integer("sequence").primaryKey({ autoIncrement: true }),
    at: integer("at").notNull(),
    /** `user:<id>`, `system:<name>` or `anonymous`. */
    actor: text("actor").notNull(),
    /** `<noun>.<verb>`: `user.change_role`. */
    action: text("action").notNull(),
    /** Whom or what it was done to: `user:<id>`, `session:<id>`. */
    subject: text("subject").notNull(),
    /** JSON, redacted. */
    details: text("details").notNull(),
    requestId: text("request_id").notNull(),
  },
  (table) => [
    index("audit_log_actor").on(table.actor, table.sequence),
    index("audit_log_subject").on(table.subject, table.sequence),
  ],
);
