/** Sessions and their refresh tokens in D1. Reads and writes are statements; the services run them. */
import { and, asc, desc, eq, gt, inArray, isNull, lte, ne, type SQL, sql } from "drizzle-orm";
import { refreshTokens, sessions } from "../../../drizzle/schema/auth";
import type { Database, Statement } from "../../platform/database";
import { isOneOf } from "../../platform/is-one-of";
import type { Mark } from "../../platform/mark";
import type { EndReason, NewSession } from "./model";

/** Live sessions of one user; a login over it replaces the oldest. */
export const SESSIONS_MAX = 100;

export interface Rotation {
  readonly presented: string;
  /** Digests of the presented token's successor, its successor, and so on. The first is inserted. */
  readonly successors: readonly [string, ...string[]];
  readonly nowMs: number;
}

export class SessionRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get #build() {
    return this.#database.build;
  }

  /** A session and the head of its chain, where `guard` holds. The last statement tells whether it did. */
  insertSession(session: NewSession, tokenDigest: string, guard: SQL) {
    const { id, userId, device, location, createdAt, expiresAt } = session;
    return [
      this.#build
        .insert(sessions)
        .select(
          sql`select ${id}, ${userId}, ${device}, ${location}, ${createdAt}, ${createdAt}, ${expiresAt}, null, null, null where ${guard}`,
        ),
      this.#build
        .insert(refreshTokens)
        .select(sql`select ${tokenDigest}, id, ${createdAt}, null from ${sessions} where id = ${id}`),
      this.#build.select({ id: sessions.id }).from(sessions).where(eq(sessions.id, id)).limit(1),
    ] as const;
  }

  /** Ends the oldest sessions over the maximum, and tells which: RETURNING their ids and when they were seen last. */
  replaceOldest(userId: string, nowMs: number) {
    const kept = this.#build
      .select({ id: sessions.id })
      .from(sessions)
      .where(isLiveOf(userId, nowMs))
      .orderBy(desc(sessions.createdAt), desc(sessions.id))
      .limit(SESSIONS_MAX);
    return this.#build
      .update(sessions)
      .set({ endedAt: nowMs, endReason: "replaced" })
      .where(and(isLiveOf(userId, nowMs), sql`${sessions.id} not in ${kept}`))
      .returning({ id: sessions.id, lastSeenAt: sessions.lastSeenAt });
  }

  /**
   * One step of a refresh chain, settled by SQL: of any number that present one token, one marks it used, and the
   * insert of the one derived successor is repeated without effect. The last two statements tell what came of it.
   */
  rotate({ presented, successors, nowMs }: Rotation) {
    const isOfLiveSession = sql`exists (select 1 from ${sessions} where ${sessions.id} = ${refreshTokens.sessionId}
      and ${sessions.endedAt} is null and ${sessions.expiresAt} > ${nowMs})`;
    return [
      this.#build
        .update(refreshTokens)
        .set({ usedAt: nowMs })
        .where(and(eq(refreshTokens.digest, presented), isNull(refreshTokens.usedAt), isOfLiveSession)),
      this.#build
        .insert(refreshTokens)
        .select(
          sql`select ${successors[0]}, session_id, ${nowMs}, null from ${refreshTokens}
            where digest = ${presented} and used_at is not null and ${isOfLiveSession}`,
        )
        .onConflictDoNothing(),
      this.#build
        .update(sessions)
        .set({ lastSeenAt: nowMs })
        .where(
          sql`${sessions.id} = (select session_id from ${refreshTokens} where digest = ${presented} and used_at = ${nowMs})
            and ${sessions.endedAt} is null`,
        ),
      this.#build
        .select({
          id: sessions.id,
          userId: sessions.userId,
          expiresAt: sessions.expiresAt,
          endedAt: sessions.endedAt,
          usedAt: refreshTokens.usedAt,
        })
        .from(refreshTokens)
        .innerJoin(sessions, eq(sessions.id, refreshTokens.sessionId))
        .where(eq(refreshTokens.digest, presented))
        .limit(1),
      this.#build
        .select({ digest: refreshTokens.digest })
        .from(refreshTokens)
        .where(inArray(refreshTokens.digest, [...successors]))
        .limit(successors.length),
    ] as const;
  }

  /** Subquery: whose the presented refresh token is. For a statement of the users' door in the same batch. */
  ownerOfRefreshToken(digest: string): SQL {
    return sql`(select s.user_id from ${refreshTokens} t join ${sessions} s on s.id = t.session_id where t.digest = ${digest})`;
  }

  /** Holds where the session was written. */
  exists(sessionId: string): SQL {
    return sql`exists (select 1 from ${sessions} where ${sessions.id} = ${sessionId})`;
  }

  session(id: string) {
    return this.#build.select().from(sessions).where(eq(sessions.id, id)).limit(1);
  }

  /** Newest first, at most `SESSIONS_MAX`. */
  liveSessions(userId: string | SQL, nowMs: number) {
    return this.#build
      .select()
      .from(sessions)
      .where(isLiveOf(userId, nowMs))
      .orderBy(desc(sessions.createdAt), desc(sessions.id))
      .limit(SESSIONS_MAX);
  }

  /** Ends those of the ids that are live and marks them with the event. */
  endSessions(
    ids: readonly string[],
    reason: EndReason,
    nowMs: number,
    { changeId }: Pick<Mark, "changeId">,
  ): Statement {
    return this.#build
      .update(sessions)
      .set({ endedAt: nowMs, endReason: reason, endEventId: changeId })
      .where(and(isOneOf(sessions.id, ids), isNull(sessions.endedAt)));
  }

  /**
   * Ends the live sessions of a user, where `guard` holds, and tells which: RETURNING their ids.
   * @param keptId one that goes on; null for none
   */
  endSessionsOf(
    { userId, keptId }: { readonly userId: string; readonly keptId: string | null },
    reason: EndReason,
    nowMs: number,
    { changeId }: Pick<Mark, "changeId">,
    guard: SQL,
  ) {
    return this.#build
      .update(sessions)
      .set({ endedAt: nowMs, endReason: reason, endEventId: changeId })
      .where(and(isLiveOf(userId, nowMs), keptId === null ? undefined : ne(sessions.id, keptId), guard))
      .returning({ id: sessions.id });
  }

  /** Holds where a session of the user was ended by this event. Found by the index of the user's sessions. */
  wasEndedBy({ changeId }: Pick<Mark, "changeId">, userId: string): SQL {
    return sql`exists (select 1 from ${sessions} where ${sessions.userId} = ${userId} and ${sessions.endEventId} = ${changeId})`;
  }

  /** The user's sessions that were ended by this event. */
  endedBy({ changeId }: Pick<Mark, "changeId">, userId: string) {
    return this.#build
      .select({ id: sessions.id })
      .from(sessions)
      .where(and(eq(sessions.userId, userId), eq(sessions.endEventId, changeId)))
      .limit(SESSIONS_MAX);
  }

  /** All that is kept of a user's sessions. */
  deleteAllOf(userId: string): [Statement, Statement] {
    return [
      this.#build
        .delete(refreshTokens)
        .where(sql`${refreshTokens.sessionId} in (select id from ${sessions} where user_id = ${userId})`),
      this.#build.delete(sessions).where(eq(sessions.userId, userId)),
    ];
  }

  /**
   * One bounded step of retention: of some sessions that expired by `beforeMs` the refresh tokens first, then those
   * sessions that have none left. Each statement tells what it removed.
   */
  removeExpired(beforeMs: number, stepRows: number) {
    const some = this.#build
      .select({ id: sessions.id })
      .from(sessions)
      .where(lte(sessions.expiresAt, beforeMs))
      .orderBy(asc(sessions.expiresAt))
      .limit(stepRows);
    const tokens = this.#build
      .select({ digest: refreshTokens.digest })
      .from(refreshTokens)
      .where(sql`${refreshTokens.sessionId} in ${some}`)
      .limit(stepRows);
    return [
      this.#build
        .delete(refreshTokens)
        .where(sql`${refreshTokens.digest} in ${tokens}`)
        .returning({ id: refreshTokens.digest }),
      this.#build
        .delete(sessions)
        .where(
          sql`${sessions.id} in ${some} and not exists (select 1 from ${refreshTokens} t where t.session_id = ${sessions.id})`,
        )
        .returning({ id: sessions.id }),
    ] as const;
  }
}

function isLiveOf(userId: string | SQL, nowMs: number): SQL | undefined {
  return and(sql`${sessions.userId} = ${userId}`, isNull(sessions.endedAt), gt(sessions.expiresAt, nowMs));
}
