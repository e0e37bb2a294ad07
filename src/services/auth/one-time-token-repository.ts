/** One-time tokens in D1: what the links of mails carry. Reads and writes are statements; the services run them. */
import { and, asc, eq, gt, inArray, isNull, lte, ne, type SQL, sql } from "drizzle-orm";
import { oneTimeTokens } from "../../../drizzle/schema/auth";
import type { Database, Statement } from "../../platform/database";
import type { Mark } from "../../platform/mark";
import type { NewOneTimeToken, OneTimeTokenRow, Purpose } from "./model";

export class OneTimeTokenRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get #build() {
    return this.#database.build;
  }

  /** The same again is the same row: an event delivered twice makes one token. */
  insert(token: NewOneTimeToken, guard: SQL = sql`1 = 1`): Statement {
    const { id, digest, userId, purpose, addressKey, createdAt, expiresAt } = token;
    return this.#build
      .insert(oneTimeTokens)
      .select(
        sql`select ${id}, ${digest}, ${userId}, ${purpose}, ${addressKey}, ${createdAt}, ${expiresAt}, null, null where ${guard}`,
      )
      .onConflictDoNothing();
  }

  /** A newer token replaces the older ones of its purpose. */
  voidOlder({ id, userId, purpose, createdAt }: NewOneTimeToken): Statement {
    return this.#build
      .update(oneTimeTokens)
      .set({ usedAt: createdAt })
      .where(
        and(
          eq(oneTimeTokens.userId, userId),
          eq(oneTimeTokens.purpose, purpose),
          ne(oneTimeTokens.id, id),
          lte(oneTimeTokens.createdAt, createdAt),
          isNull(oneTimeTokens.usedAt),
        ),
      );
  }

  /** The token of that digest, if it is unused, in time and for one of the purposes. */
  usable(digest: string, purposes: readonly Purpose[], nowMs: number) {
    return this.#build
      .select()
      .from(oneTimeTokens)
      .where(isUsable(digest, purposes, nowMs))
      .limit(1);
  }

  /** Subquery: whose the token is. */
  ownerOf(digest: string): SQL {
    return sql`(select ${oneTimeTokens.userId} from ${oneTimeTokens} where ${oneTimeTokens.digest} = ${digest})`;
  }

  /** Marks the token used, where `guard` holds. */
  use(token: OneTimeTokenRow, nowMs: number, { changeId }: Pick<Mark, "changeId">, guard: SQL): Statement {
    return this.#build
      .update(oneTimeTokens)
      .set({ usedAt: nowMs, useEventId: changeId })
      .where(and(isUsable(token.digest, [token.purpose], nowMs), guard));
  }

  /** Holds while nobody has used the token. */
  isUsableNow(token: OneTimeTokenRow, nowMs: number): SQL {
    return sql`exists (select 1 from ${oneTimeTokens} where ${oneTimeTokens.id} = ${token.id}
      and ${oneTimeTokens.usedAt} is null and ${oneTimeTokens.expiresAt} > ${nowMs})`;
  }

  /** Voids all that a user was mailed for these purposes, where `guard` holds. */
  voidAllOf(userId: string, purposes: readonly Purpose[], nowMs: number, guard: SQL): Statement {
    return this.#build
      .update(oneTimeTokens)
      .set({ usedAt: nowMs })
      .where(
        and(
          eq(oneTimeTokens.userId, userId),
          inArray(oneTimeTokens.purpose, [...purposes]),
          isNull(oneTimeTokens.usedAt),
          guard,
        ),
      );
  }

  /** How many tokens of a purpose a user was sent since. */
  since(userId: string, purpose: Purpose, sinceMs: number) {
    return this.#build
      .select({ id: oneTimeTokens.id })
      .from(oneTimeTokens)
      .where(
        and(
          eq(oneTimeTokens.userId, userId),
          eq(oneTimeTokens.purpose, purpose),
          gt(oneTimeTokens.createdAt, sinceMs),
        ),
      )
      .limit(100);
  }

  deleteAllOf(userId: string): Statement {
    return this.#build.delete(oneTimeTokens).where(eq(oneTimeTokens.userId, userId));
  }

  /** One bounded step of retention, which tells what it removed. */
  removeExpired(beforeMs: number, stepRows: number) {
    const some = this.#build
      .select({ id: oneTimeTokens.id })
      .from(oneTimeTokens)
      .where(lte(oneTimeTokens.expiresAt, beforeMs))
      .orderBy(asc(oneTimeTokens.expiresAt))
      .limit(stepRows);
    return this.#build
      .delete(oneTimeTokens)
      .where(sql`${oneTimeTokens.id} in ${some}`)
      .returning({ id: oneTimeTokens.id });
  }
}

function isUsable(digest: string, purposes: readonly Purpose[], nowMs: number): SQL | undefined {
  return and(
    eq(oneTimeTokens.digest, digest),
    inArray(oneTimeTokens.purpose, [...purposes]),
    isNull(oneTimeTokens.usedAt),
    gt(oneTimeTokens.expiresAt, nowMs),
  );
}
