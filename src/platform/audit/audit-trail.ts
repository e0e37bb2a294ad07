/**
 * The audit trail: who did what to whom. A row is a statement for the batch of the change it tells of, so there is no
 * change without its row and no row without its change.
 */
import { and, asc, eq, gt, type SQL, sql } from "drizzle-orm";
import { auditLog } from "../../../drizzle/schema/audit";
import { type Actor, actorLabel } from "../../kernel/actor";
import { toTimestamp } from "../../kernel/clock";
import { type Page, splitPage } from "../../kernel/cursor";
import { onFirstCall } from "../../kernel/on-first-call";
import { text, time } from "../../kernel/output-fields";
import * as z from "../../kernel/schema";
import type { Database, Statement } from "../database";
import { ALWAYS, type Guarded, prepared, preparedAround, value } from "../prepared-statement";
import type { Scope } from "../scope";
import { redact } from "./redact";

export interface AuditRecord extends Guarded {
  readonly actor: Actor;
  /** `<noun>.<verb>`: `user.change_role`. */
  readonly action: string;
  /** `<noun>:<id>`: `user:<id>`. */
  readonly subject: string;
  /** Small and flat. Addresses, tokens, passwords and hashes are taken out by name, whoever put them in. */
  readonly details?: object;
}

export const auditEntrySchema = onFirstCall(() =>
  z.strictObject({
    id: text(15).check(z.regex(/^[0-9]+$/)),
    at: time(),
    actor: text(200),
    action: text(100),
    subject: text(200),
    details: z.record(z.string(), z.unknown()),
    requestId: text(128),
  }),
);
export type AuditEntry = z.Model<typeof auditEntrySchema>;

export interface AuditQuery {
  readonly actor?: string | undefined;
  readonly subject?: string | undefined;
  /** The `id` of the last entry seen: decimal digits. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** All columns but the sequence, in the order of the table, which `insert ... select` goes by. */
const insertWhere = preparedAround((guard: SQL) =>
  prepared((on) =>
    on
      .insert(auditLog)
      .select(
        sql`select null, ${value("at")}, ${value("actor")}, ${value("action")}, ${value("subject")}, ${value("details")}, ${value("requestId")} where ${guard}`,
      ),
  ),
);

export class AuditTrail {
  readonly #database: Database;
  readonly #scope: Scope;

  constructor(database: Database, scope: Scope) {
    this.#database = database;
    this.#scope = scope;
  }

  /** The row as a statement, to be committed with the change. */
  record({ actor, action, subject, details = {}, guard = ALWAYS, values }: AuditRecord): Statement {
    const row = {
      at: this.#scope.clock(),
      actor: actorLabel(actor),
      action,
      subject,
      details: JSON.stringify(redact(details)),
      requestId: this.#scope.requestId,
    };
    return insertWhere(guard)(this.#database, { ...values, ...row });
  }

  /**
   * Entries in order of commit, oldest first.
   * **Cost**: 1 round trip; reads at most `limit + 1` rows by an index.
   */
  async list({ actor, subject, after, limit }: AuditQuery): Promise<Page<AuditEntry>> {
    const {
      rows: [rows],
    } = await this.#database.read("nearest", [
      this.#database.build
        .select()
        .from(auditLog)
        .where(
          and(
            actor === undefined ? undefined : eq(auditLog.actor, actor),
            subject === undefined ? undefined : eq(auditLog.subject, subject),
            after === undefined ? undefined : gt(auditLog.sequence, Number(after)),
          ),
        )
        .orderBy(asc(auditLog.sequence))
        .limit(limit + 1),
    ]);
    const { data, last } = splitPage(rows.map(toEntry), limit);
    return { data, nextCursor: last?.id ?? null };
  }
}

function toEntry(row: typeof auditLog.$inferSelect): AuditEntry {
  return {
    id: String(row.sequence),
    at: toTimestamp(row.at),
    actor: row.actor,
    action: row.action,
    subject: row.subject,
    details: JSON.parse(row.details),
    requestId: row.requestId,
  };
}
