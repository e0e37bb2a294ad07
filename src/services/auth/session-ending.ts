/**
 * The end of sessions. It is written to the user's object first and to D1 second, and is acknowledged only when both
 * succeeded: repeating it is safe.
 *
 * How "revoked within 60 seconds" adds up: the object holds the revocation when `revoke` returns, so no lease granted
 * later lacks it; a lease granted earlier lives at most 60 s, counted from when it was asked for; and an isolate
 * decides every request by the revocations that came with its lease. When the object is silent there is no lease,
 * and the session is read from D1 instead, see `AuthService.isValid`.
 */

import type { Actor } from "../../kernel/actor";
import type { CloudEvent } from "../../kernel/event";
import * as z from "../../kernel/schema";
import type { Statement } from "../../platform/database";
import type { NewRevocations } from "../../platform/limiter";
import { ACCESS_TOKEN_TTL_MAX_SECONDS } from "./access-tokens";
import type { AuthDependencies } from "./auth-dependencies";
import { type AuthEventType, recordAuthEvent } from "./events";
import type { EndReason, SessionRow } from "./model";

export class SessionEnding {
  readonly #on: AuthDependencies;

  constructor(dependencies: AuthDependencies) {
    this.#on = dependencies;
  }

  /** A refresh token came back past its grace: its owner is told. */
  async endReused(session: Pick<SessionRow, "id" | "userId">): Promise<void> {
    const { userId, id } = session;
    await this.#commit({
      actor: { kind: "system", name: "auth" },
      userId,
      ids: [id],
      reason: "reuse",
      event: { type: "session.reuse_detected", data: { userId, sessionId: id } },
    });
  }

  /** @param more statements for the same batch */
  async end(
    actor: Actor,
    userId: string,
    ids: readonly string[],
    reason: EndReason,
    more: readonly Statement[] = [],
  ): Promise<void> {
    const event = { type: "session.ended", data: { userId, sessionIds: ids, reason } } as const;
    await this.#commit({ actor, userId, ids, reason, event, more });
  }

  /** The object first: a session that D1 calls ended must not be served any more. */
  async #commit(end: {
    actor: Actor;
    userId: string;
    ids: readonly string[];
    reason: EndReason;
    event: { type: AuthEventType; data: object };
    more?: readonly Statement[];
  }): Promise<void> {
    const { database, sessions, identities, revoker, outbox, audit, scope } = this.#on;
    const nowMs = scope.clock();
    const eventId = scope.newId();
    const isAll = end.reason === "logout_all";
    const nextSecond = Math.floor(nowMs / 1000) + 1;
    await revoker.revoke(end.userId, {
      ...this.#revocationOf(end.ids),
      ...(isAll ? { minIssuedAt: nextSecond } : {}),
    });
    const isDone = sessions.wasEndedBy({ changeId: eventId }, end.userId);
    const answer = await database.commit([
      sessions.endSessions(end.ids, end.reason, nowMs, { changeId: eventId }),
      ...recordAuthEvent(outbox, { ...end.event, id: eventId, userId: end.userId, guard: isDone }),
      audit.record({
        actor: end.actor,
        action: "session.end",
        subject: `user:${end.userId}`,
        details: { sessions: end.ids, reason: end.reason },
        guard: isDone,
      }),
      ...(isAll ? [identities.revokeAllOf(end.userId, nextSecond - 1)] : []),
      ...(end.more ?? []),
    ]);
    outbox.relaySoon(answer);
  }

  #revocationOf(ids: readonly string[]): NewRevocations {
    return sessionRevocations(ids, this.#on.scope.clock());
  }

  /**
   * The revocation that an event speaks of, once more. **Errors**: `unavailable`. **Cost**: 1 object call; for a password
   * and a role 1 D1 round trip before it.
   */
  async repeat(event: CloudEvent): Promise<void> {
    const { revoker, scope } = this.#on;
    if (event.type === "password.changed" || event.type === "user.role_changed")
      return await this.#repeatOfEpoch(event);
    if (event.type === "user.deleted") {
      const minEpochExpiresAt = scope.clock() + ACCESS_TOKEN_TTL_MAX_SECONDS * 1000;
      return await revoker.revoke(event.subject, { minEpoch: EPOCH_MAX, minEpochExpiresAt });
    }
    const ids = sessionIdsOf(event.data);
    if (ids.length > 0) await revoker.revoke(event.subject, sessionRevocations(ids, scope.clock()));
  }

  /** The event names no sessions: they are those that its batch ended, and every token of an older epoch. */
  async #repeatOfEpoch({ id: eventId, subject: userId }: CloudEvent): Promise<void> {
    const { database, sessions, credentials, revoker, scope } = this.#on;
    const {
      rows: [ended, accounts],
    } = await database.read("primary", [
      sessions.endedBy({ changeId: eventId }, userId),
      credentials.selectById(userId),
    ]);
    const account = credentials.credentialOf(accounts);
    // A deleted user's tokens are the business of its deletion.
    if (account === null) return;
    const ids = ended.map(({ id }) => id);
    const minEpoch = account.tokenEpoch;
    await revoker.revoke(userId, { ...sessionRevocations(ids, scope.clock()), minEpoch });
  }

  /**
   * Nobody was promised that these end now, so it happens after the answer; their tokens expire by themselves. One whose
   * last token has expired is not worth a place among the object's revocations: a client that logs in for each of its
   * jobs would fill them, and could end no session then.
   */
  forgetReplaced(userId: string, replaced: readonly Pick<SessionRow, "id" | "lastSeenAt">[]): void {
    const { revoker, scope, accessTokens } = this.#on;
    const ids = replaced
      .filter(({ lastSeenAt }) => lastSeenAt + accessTokens.lifeMs > scope.clock())
      .map(({ id }) => id);
    if (ids.length === 0) return;
    scope.afterResponse(() =>
      revoker.revoke(userId, this.#revocationOf(ids)).catch((error: unknown) => {
        const fields = { count: ids.length, error };
        scope.log.log("warn", "auth.replaced_sessions_not_revoked", fields);
      }),
    );
  }
}

/** Above every epoch: of a deleted user no token is good. */
const EPOCH_MAX = Number.MAX_SAFE_INTEGER;

/** `sessionIds` or `sessionId` of an event's data. */
function sessionIdsOf(data: unknown): readonly string[] {
  const parsed = z
    .object({ sessionIds: z.optional(z.array(z.uuid())), sessionId: z.optional(z.uuid()) })
    .safeParse(data);
  if (!parsed.success) return [];
  const { sessionIds = [], sessionId } = parsed.data;
  return sessionId === undefined ? sessionIds : [...sessionIds, sessionId];
}

/** Kept until no access token of these sessions can be alive, however its life was configured when it was issued. */
export function sessionRevocations(ids: readonly string[], nowMs: number): NewRevocations {
  const expiresAt = nowMs + ACCESS_TOKEN_TTL_MAX_SECONDS * 1000;
  return { sessionIds: ids.map((id) => ({ id, expiresAt })) };
}
