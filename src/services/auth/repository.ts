/** Sessions, refresh tokens, one-time tokens and foreign identities in D1. Reads and writes are statements; the service runs them. */
import { and, asc, desc, eq, gt, inArray, isNotNull, isNull, lte, ne, type SQL, sql } from "drizzle-orm";
import { foreignIdentities, oneTimeTokens, refreshTokens, sessions } from "../../../drizzle/schema/auth";
import type { Database, Statement } from "../../platform/database";
import type { EndReason, NewOneTimeToken, NewSession, OneTimeTokenRow, Purpose } from "./model";

/** Live sessions of one user; a login over it replaces the oldest. */
export const SESSIONS_MAX = 100;

export interface Rotation {
  readonly presented: string;
  /** Digests of the presented token's successor, its successor, and so on. The first is inserted. */
  readonly successors: readonly [string, ...string[]];
  readonly nowMs: number;
}

/** Where a condition of one batch stands for "this writer did it". */
export interface Mark {
  readonly eventId: string;
}

export class AuthRepository {
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

  /** Ends the oldest sessions over the maximum, and tells which: RETURNING their ids. */
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
      .returning({ id: sessions.id });
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
  endSessions(ids: readonly string[], reason: EndReason, nowMs: number, { eventId }: Mark): Statement {
    return this.#build
      .update(sessions)
      .set({ endedAt: nowMs, endReason: reason, endEventId: eventId })
      .where(and(isOneOf(ids), isNull(sessions.endedAt)));
  }

  /**
   * Ends the live sessions of a user, where `guard` holds, and tells which: RETURNING their ids.
   * @param keptId one that goes on; null for none
   */
  endSessionsOf(
    { userId, keptId }: { readonly userId: string; readonly keptId: string | null },
    reason: EndReason,
    nowMs: number,
    { eventId }: Mark,
    guard: SQL,
  ) {
    return this.#build
      .update(sessions)
      .set({ endedAt: nowMs, endReason: reason, endEventId: eventId })
      .where(and(isLiveOf(userId, nowMs), keptId === null ? undefined : ne(sessions.id, keptId), guard))
      .returning({ id: sessions.id });
  }

  /** Holds where a session was ended by this event. */
  wasEndedBy({ eventId }: Mark): SQL {
    return sql`exists (select 1 from ${sessions} where ${sessions.endEventId} = ${eventId})`;
  }

  /** The same again is the same row: an event delivered twice makes one token. */
  insertOneTimeToken(token: NewOneTimeToken, guard: SQL = sql`1 = 1`): Statement {
    const { id, digest, userId, purpose, addressKey, createdAt, expiresAt } = token;
    return this.#build
      .insert(oneTimeTokens)
      .select(
        sql`select ${id}, ${digest}, ${userId}, ${purpose}, ${addressKey}, ${createdAt}, ${expiresAt}, null, null where ${guard}`,
      )
      .onConflictDoNothing();
  }

  /** A newer token replaces the older ones of its purpose. */
  voidOlderTokens({ id, userId, purpose, createdAt }: NewOneTimeToken): Statement {
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
  usableToken(digest: string, purposes: readonly Purpose[], nowMs: number) {
    return this.#build
      .select()
      .from(oneTimeTokens)
      .where(isUsable(digest, purposes, nowMs))
      .limit(1);
  }

  /** Subquery: whose the token is. */
  ownerOfOneTimeToken(digest: string): SQL {
    return sql`(select ${oneTimeTokens.userId} from ${oneTimeTokens} where ${oneTimeTokens.digest} = ${digest})`;
  }

  /** Marks the token used, where `guard` holds. */
  useToken(token: OneTimeTokenRow, nowMs: number, { eventId }: Mark, guard: SQL): Statement {
    return this.#build
      .update(oneTimeTokens)
      .set({ usedAt: nowMs, useEventId: eventId })
      .where(and(isUsable(token.digest, [token.purpose], nowMs), guard));
  }

  /** Holds while nobody has used the token. */
  isUsableNow(token: OneTimeTokenRow, nowMs: number): SQL {
    return sql`exists (select 1 from ${oneTimeTokens} where ${oneTimeTokens.id} = ${token.id}
      and ${oneTimeTokens.usedAt} is null and ${oneTimeTokens.expiresAt} > ${nowMs})`;
  }

  /** Voids all that a user was mailed for these purposes, where `guard` holds. */
  voidTokensOf(userId: string, purposes: readonly Purpose[], nowMs: number, guard: SQL): Statement {
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
  tokensSince(userId: string, purpose: Purpose, sinceMs: number) {
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

  identity(issuer: string, subject: string) {
    return this.#build
      .select()
      .from(foreignIdentities)
      .where(and(eq(foreignIdentities.issuer, issuer), eq(foreignIdentities.subject, subject)))
      .limit(1);
  }

  /** Subquery: whom the subject of a token is here; nobody when the token was revoked, or the user deleted. */
  userOfIdentity(issuer: string, subject: string, issuedAtSeconds: number): SQL {
    return sql`(select ${foreignIdentities.userId} from ${foreignIdentities} where ${foreignIdentities.issuer} = ${issuer}
      and ${foreignIdentities.subject} = ${subject} and ${foreignIdentities.orphanedAt} is null
      and ${foreignIdentities.revokedThrough} < ${issuedAtSeconds})`;
  }

  /** Holds where the subject is nobody here, or was somebody who was deleted before the token was issued. */
  isUnknownIdentity(issuer: string, subject: string, issuedAtSeconds: number): SQL {
    return sql`not exists (select 1 from ${foreignIdentities} where ${foreignIdentities.issuer} = ${issuer}
      and ${foreignIdentities.subject} = ${subject}
      and (${foreignIdentities.orphanedAt} is null or ${foreignIdentities.revokedThrough} >= ${issuedAtSeconds}))`;
  }

  /** Ties a subject that is nobody's, or a deleted user's, to a user, where `guard` holds. */
  insertIdentity(
    identity: { issuer: string; subject: string; userId: string; createdAt: number },
    guard: SQL,
  ): [Statement, Statement] {
    const { issuer, subject, userId, createdAt } = identity;
    return [
      this.#build
        .delete(foreignIdentities)
        .where(
          and(
            eq(foreignIdentities.issuer, issuer),
            eq(foreignIdentities.subject, subject),
            isNotNull(foreignIdentities.orphanedAt),
            guard,
          ),
        ),
      this.#build
        .insert(foreignIdentities)
        .select(sql`select ${issuer}, ${subject}, ${userId}, ${createdAt}, 0, null where ${guard}`),
    ];
  }

  /** Voids the tokens issued at or before that second to whoever the user is elsewhere, where `guard` holds. */
  revokeIdentitiesOf(userId: string, throughSeconds: number, guard: SQL = sql`1 = 1`): Statement {
    return this.#build
      .update(foreignIdentities)
      .set({ revokedThrough: sql`max(${foreignIdentities.revokedThrough}, ${throughSeconds})` })
      .where(and(eq(foreignIdentities.userId, userId), guard));
  }

  /** All that the auth service keeps of a user; of foreign identities remains that their tokens so far are void. */
  deleteAllOf(userId: string, nowMs: number): [Statement, ...Statement[]] {
    return [
      this.#build
        .delete(refreshTokens)
        .where(sql`${refreshTokens.sessionId} in (select id from ${sessions} where user_id = ${userId})`),
      this.#build.delete(sessions).where(eq(sessions.userId, userId)),
      this.#build.delete(oneTimeTokens).where(eq(oneTimeTokens.userId, userId)),
      this.#build
        .update(foreignIdentities)
        .set({ orphanedAt: nowMs, revokedThrough: Math.floor(nowMs / 1000) })
        .where(and(eq(foreignIdentities.userId, userId), isNull(foreignIdentities.orphanedAt))),
    ];
  }

  /**
   * One bounded step of retention: of some sessions that expired by `beforeMs` the refresh tokens first, then those
   * sessions that have none left; then one-time tokens and foreign identities without a user. Each statement tells what it removed.
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
    const oneTime = this.#build
      .select({ id: oneTimeTokens.id })
      .from(oneTimeTokens)
      .where(lte(oneTimeTokens.expiresAt, beforeMs))
      .orderBy(asc(oneTimeTokens.expiresAt))
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
      this.#build
        .delete(oneTimeTokens)
        .where(sql`${oneTimeTokens.id} in ${oneTime}`)
        .returning({ id: oneTimeTokens.id }),
      this.#build
        .delete(foreignIdentities)
        .where(lte(foreignIdentities.orphanedAt, beforeMs))
        .returning({ id: foreignIdentities.userId }),
    ] as const;
  }
}

function isLiveOf(userId: string | SQL, nowMs: number): SQL | undefined {
  return and(sql`${sessions.userId} = ${userId}`, isNull(sessions.endedAt), gt(sessions.expiresAt, nowMs));
}

/** By one parameter, however many they are: D1 binds at most 100. */
function isOneOf(ids: readonly string[]): SQL {
  return sql`${sessions.id} in (select value from json_each(${JSON.stringify(ids)}))`;
}

function isUsable(digest: string, purposes: readonly Purpose[], nowMs: number): SQL | undefined {
  return and(
    eq(oneTimeTokens.digest, digest),
    inArray(oneTimeTokens.purpose, [...purposes]),
    isNull(oneTimeTokens.usedAt),
    gt(oneTimeTokens.expiresAt, nowMs),
  );
}
