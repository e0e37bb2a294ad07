/** Whom the subjects of trusted issuers are here, in D1. Reads and writes are statements; the services run them. */
import { and, asc, eq, isNotNull, isNull, lte, type SQL, sql } from "drizzle-orm";
import { foreignIdentities } from "../../../drizzle/schema/auth";
import type { Database, Statement } from "../../platform/database";

export class IdentityRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get #build() {
    return this.#database.build;
  }

  select(issuer: string, subject: string) {
    return this.#build
      .select()
      .from(foreignIdentities)
      .where(and(eq(foreignIdentities.issuer, issuer), eq(foreignIdentities.subject, subject)))
      .limit(1);
  }

  /** Subquery: whom the subject of a token is here; nobody when the token was revoked, or the user deleted. */
  userOf(issuer: string, subject: string, issuedAtSeconds: number): SQL {
    return sql`(select ${foreignIdentities.userId} from ${foreignIdentities} where ${foreignIdentities.issuer} = ${issuer}
      and ${foreignIdentities.subject} = ${subject} and ${foreignIdentities.orphanedAt} is null
      and ${foreignIdentities.revokedThrough} < ${issuedAtSeconds})`;
  }

  /** Holds where the subject is nobody here, or was somebody who was deleted before the token was issued. */
  isUnknown(issuer: string, subject: string, issuedAtSeconds: number): SQL {
    return sql`not exists (select 1 from ${foreignIdentities} where ${foreignIdentities.issuer} = ${issuer}
      and ${foreignIdentities.subject} = ${subject}
      and (${foreignIdentities.orphanedAt} is null or ${foreignIdentities.revokedThrough} >= ${issuedAtSeconds}))`;
  }

  /**
   * Ties a subject that is nobody's, or a deleted user's, to a user, where `guard` holds. What was revoked stays so: a
   * token from before the deletion must not be good for whom its subject became after it.
   */
  insert(
    identity: { issuer: string; subject: string; userId: string; createdAt: number },
    guard: SQL,
  ): Statement {
    const { issuer, subject, userId, createdAt } = identity;
    const { issuer: issuerColumn, subject: subjectColumn } = foreignIdentities;
    return this.#build
      .insert(foreignIdentities)
      .select(sql`select ${issuer}, ${subject}, ${userId}, ${createdAt}, 0, null where ${guard}`)
      .onConflictDoUpdate({
        target: [issuerColumn, subjectColumn],
        set: { userId, createdAt, orphanedAt: null },
        setWhere: isNotNull(foreignIdentities.orphanedAt),
      });
  }

  /** Voids the tokens issued at or before that second to whoever the user is elsewhere, where `guard` holds. */
  revokeAllOf(userId: string, throughSeconds: number, guard: SQL = sql`1 = 1`): Statement {
    return this.#build
      .update(foreignIdentities)
      .set({ revokedThrough: sql`max(${foreignIdentities.revokedThrough}, ${throughSeconds})` })
      .where(and(eq(foreignIdentities.userId, userId), guard));
  }

  /** Of a deleted user remains that the tokens so far are void. */
  orphanAllOf(userId: string, nowMs: number): Statement {
    return this.#build
      .update(foreignIdentities)
      .set({ orphanedAt: nowMs, revokedThrough: Math.floor(nowMs / 1000) })
      .where(and(eq(foreignIdentities.userId, userId), isNull(foreignIdentities.orphanedAt)));
  }

  /** One bounded step of retention, of those without a user, which tells what it removed. */
  removeOrphaned(beforeMs: number, stepRows: number) {
    const some = this.#build
      .select({ rowid: sql`rowid` })
      .from(foreignIdentities)
      .where(lte(foreignIdentities.orphanedAt, beforeMs))
      .orderBy(asc(foreignIdentities.orphanedAt))
      .limit(stepRows);
    return this.#build
      .delete(foreignIdentities)
      .where(sql`rowid in ${some}`)
      .returning({ id: foreignIdentities.userId });
  }
}
