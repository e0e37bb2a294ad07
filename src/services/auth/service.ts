/**
 * Sessions: logging in, refreshing, listing and ending. Ending one is written to the user's object first and to D1
 * second, and is acknowledged only when both succeeded: repeating it is safe.
 *
 * How "revoked within 60 seconds" adds up: the object holds the revocation when `revoke` returns, so no lease granted
 * later lacks it; a lease granted earlier lives at most 60 s, counted from when it was asked for; and an isolate
 * decides every request by the revocations that came with its lease. When the object is silent there is no lease,
 * and the session is read from D1 instead, see `isValid`.
 */
import * as z from "zod";
import type { Actor } from "../../kernel/actor";
import { AppError, done, type Outcome, refuse, refuseNotFound } from "../../kernel/errors";
import type { CloudEvent } from "../../kernel/event";
import { authorize } from "../../kernel/permissions";
import type { AuditTrail } from "../../platform/audit";
import type { Database, Statement } from "../../platform/database";
import type { Deriver } from "../../platform/deriver";
import { type Attempt, unkeyed } from "../../platform/idempotency";
import type { NewRevocations } from "../../platform/limiter";
import type { Outbox } from "../../platform/outbox";
import type { PasswordHasher } from "../../platform/password-hasher";
import type { Scope } from "../../platform/scope";
import { type Credential, type CredentialRepository, emailKey, type User, type UserService } from "../users";
import { ACCESS_TOKEN_TTL_MAX_SECONDS, type AccessTokens, type VerifiedToken } from "./access-tokens";
import type { Attempts } from "./attempts";
import { AUTH_SOURCE, type AuthEventType, authEvents } from "./events";
import type { EndReason, NewSession, Session, SessionRow, TokenPair } from "./model";
import { deviceLabel, locationLabel } from "./origin";
import { chainOf, newRefreshToken, REFRESH_GRACE_MS, type RefreshToken } from "./refresh-chain";
import type { AuthRepository } from "./repository";
import type { LogInInput } from "./schemas";
import { toSession } from "./session-view";

/** Ends tokens everywhere within 60 seconds. **Errors**: `unavailable`. */
export interface SessionRevoker {
  revoke(userId: string, revocations: NewRevocations): Promise<void>;
}

export interface AuthDependencies {
  readonly database: Database;
  readonly repository: AuthRepository;
  readonly credentials: CredentialRepository;
  readonly users: UserService;
  readonly outbox: Outbox;
  readonly audit: AuditTrail;
  readonly attempts: Attempts;
  readonly revoker: SessionRevoker;
  readonly hasher: PasswordHasher;
  readonly accessTokens: AccessTokens;
  readonly deriver: Deriver;
  /** `SESSION_TTL_SECONDS` */
  readonly sessionTtlSeconds: number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly scope: Scope;
}

export interface LogIn extends TokenPair {
  readonly user: User;
}

export class AuthService {
  readonly #on: AuthDependencies;

  constructor(dependencies: AuthDependencies) {
    this.#on = dependencies;
  }

  /**
   * Starts a session. An address that nobody has costs the same work and answers the same.
   * @param attempt of the call's `Idempotency-Key`
   * **Errors**: `invalid_credentials`; `rate_limited`; `unavailable` (too many hashes at once, or the account changed
   * in this moment). **Cost**: 2 D1 round trips (1 when refused), 1 scrypt, the attempt's budgets.
   */
  async logIn(input: LogInInput, attempt: Attempt<LogIn> = unkeyed()): Promise<Outcome<LogIn>> {
    const { attempts, database, credentials, hasher } = this.#on;
    const key = emailKey(input.email);
    const { rows, ended } = await attempt.open(database, [credentials.selectByEmail(key)]);
    // A replay spends nothing.
    if (ended !== null) return ended;
    const charged = await attempts.begin([
      ["loginPerIp", "caller"],
      ["loginPerAccount", { account: key }],
    ]);
    if (!charged.ok) return charged;
    const credential = credentials.read(rows[0]);
    const check = await charged.value.refundOnFailure(() =>
      hasher.verify(input.password, credential?.passwordHash ?? null),
    );
    if (credential === null || !check.isMatch) {
      return refuse("invalid_credentials", "No account has this address with this password.");
    }
    const rehash = check.needsRehash ? await this.#rehash(input.password) : null;
    const [logIn] = await Promise.all([
      this.#startSession(credential, rehash, attempt),
      charged.value.refund(),
    ]);
    return done(logIn);
  }

  /**
   * Exchanges a refresh token for its successor and a new access token. Any number may present one token within the
   * grace and get the same successor, so that the call needs no key to be safe to repeat; past it the whole session ends, for one of the two holders is not its owner.
   * **Errors**: `unauthenticated` (not ours), `token_expired`, `token_revoked`, `rate_limited`, `unavailable`.
   * **Cost**: 1 D1 round trip; 2 and a call to the user's object when reuse is detected.
   */
  async refresh(presented: string): Promise<Outcome<TokenPair>> {
    const { attempts, database, repository, credentials, deriver, scope } = this.#on;
    const attempt = await attempts.begin([["refreshPerIp", "caller"]]);
    if (!attempt.ok) return attempt;
    const chain = await chainOf(deriver, presented);
    if (chain === null) return refuseRefreshToken();

    const nowMs = scope.clock();
    const { digest, successors } = chain;
    const [, , , sessions, known, owners] = await database.commit(
      [
        ...repository.rotate({ presented: digest, successors: digestsOf(successors), nowMs }),
        credentials.selectById(repository.ownerOfRefreshToken(digest)),
      ],
      { isIdempotent: true },
    );
    const [session] = sessions;
    if (session === undefined) return refuseRefreshToken();
    const owner = credentials.read(owners);
    if (session.endedAt !== null || owner === null) return refuseEnded();
    if (session.expiresAt <= nowMs)
      return refuse("token_expired", "The session is past its life. Log in again.");
    if (session.usedAt === null) throw new TypeError("a live session's refresh token was not marked used");
    if (nowMs - session.usedAt > REFRESH_GRACE_MS) return await this.#endReused(session);

    const stored = new Set(known.map((row) => row.digest));
    const last = successors.findLast((successor) => stored.has(successor.digest)) ?? successors[0];
    return done(await this.#issuePair(owner, session, last.token));
  }

  /** The caller's live sessions, newest first, in one page. **Errors**: `unauthenticated`. **Cost**: 1 D1 round trip. */
  async listSessions(actor: Actor): Promise<Outcome<readonly Session[]>> {
    const user = requireUser(actor);
    if (!user.ok) return user;
    const { database, repository, scope } = this.#on;
    const { userId, sessionId } = user.value;
    const [rows] = await database.read("primary", [repository.liveSessions(userId, scope.clock())]);
    return done(rows.map((row) => toSession(row, sessionId)));
  }

  /** Ends one of the caller's sessions. **Errors**: `not_found`, `unavailable`. **Cost**: 2 D1 round trips, 1 object call. */
  async endSession(actor: Actor, sessionId: string, call: Attempt<null> = unkeyed()): Promise<Outcome<null>> {
    const user = requireUser(actor);
    if (!user.ok) return user;
    const { database, repository, scope } = this.#on;
    const { rows, ended } = await call.open(database, [repository.session(sessionId)]);
    const [row] = rows[0];
    if (row === undefined || !authorize(actor, "session.end", row.userId).ok) return refuseNotFound();
    if (ended !== null) return ended;
    const isLive = row.endedAt === null && row.expiresAt > scope.clock();
    if (!isLive) return refuseNotFound();
    await this.#end(actor, row.userId, [sessionId], "revoked", await call.record(database, null));
    return done(null);
  }

  /** Ends the caller's own session. **Errors**: `unauthenticated`, `unavailable`. **Cost**: 1 D1 round trip, 1 object call. */
  async logOut(actor: Actor): Promise<Outcome<null>> {
    const user = requireUser(actor);
    if (!user.ok) return user;
    const { userId, sessionId } = user.value;
    // A foreign issuer's token has no session here: what ends is every token its subject was issued so far.
    if (sessionId === null) return await this.logOutAll(actor);
    await this.#end(actor, userId, [sessionId], "logout");
    return done(null);
  }

  /**
   * Ends all the caller's sessions, and every foreign token issued so far.
   * **Errors**: `unauthenticated`, `unavailable`. **Cost**: 2 D1 round trips, 1 object call.
   */
  async logOutAll(actor: Actor): Promise<Outcome<null>> {
    const user = requireUser(actor);
    if (!user.ok) return user;
    const { database, repository, scope } = this.#on;
    const { userId } = user.value;
    const [rows] = await database.read("primary", [repository.liveSessions(userId, scope.clock())]);
    const ids = rows.map((row) => row.id);
    await this.#end(actor, userId, ids, "logout_all");
    return done(null);
  }

  /**
   * What D1 says of a token, for requests whose user's object is silent: its session lives and its epoch is current.
   * **Cost**: 1 D1 round trip to the primary.
   */
  async isValid(token: VerifiedToken): Promise<boolean> {
    const { database, repository, credentials, scope } = this.#on;
    const [[session], accounts] = await database.read("primary", [
      repository.session(token.sessionId),
      credentials.selectById(token.userId),
    ]);
    const account = credentials.read(accounts);
    const isLive = session !== undefined && session.endedAt === null && session.expiresAt > scope.clock();
    return isLive && account !== null && token.epoch >= account.tokenEpoch;
  }

  /** All that is kept of a deleted user here, as statements. */
  erasureOf(userId: string): Statement[] {
    return this.#on.repository.deleteAllOf(userId, this.#on.scope.clock());
  }

  /**
   * The revocation that an event of this service or `user.deleted` speaks of, once more. **Errors**: `unavailable`.
   * **Cost**: 1 object call.
   */
  async repeatRevocation(event: CloudEvent): Promise<void> {
    const { revoker, scope } = this.#on;
    if (event.type === "user.deleted") {
      const minEpochExpiresAt = scope.clock() + ACCESS_TOKEN_TTL_MAX_SECONDS * 1000;
      return await revoker.revoke(event.subject, { minEpoch: EPOCH_MAX, minEpochExpiresAt });
    }
    const ids = sessionIdsOf(event.data);
    if (ids.length > 0) await revoker.revoke(event.subject, sessionRevocations(ids, scope.clock()));
  }

  /**
   * Retention: removes sessions, refresh tokens and one-time tokens that expired a day ago, in bounded steps; what is
   * left is removed at the next call. **Cost**: at most `RETENTION_STEPS_MAX` D1 round trips.
   */
  async removeExpired(): Promise<{ readonly removed: number }> {
    const { database, repository, scope } = this.#on;
    const beforeMs = scope.clock() - RETENTION_MS;
    let removed = 0;
    for (let step = 0; step < RETENTION_STEPS_MAX; step += 1) {
      const results = await database.commit([...repository.removeExpired(beforeMs, RETENTION_STEP_ROWS)]);
      const count = results.reduce((sum, rows) => sum + rows.length, 0);
      removed += count;
      if (count === 0) break;
    }
    return { removed };
  }

  async #startSession(
    credential: Credential,
    rehash: string | null,
    attempt: Attempt<LogIn>,
  ): Promise<LogIn> {
    const { database, repository, credentials, audit } = this.#on;
    const { user, tokenEpoch, passwordHash } = credential;
    const session = this.#newSession(user.id);
    const refreshToken = await newRefreshToken();
    const pair = await this.#issuePair(credential, session, refreshToken.token);
    const snapshot = { id: user.id, tokenEpoch, passwordHash };
    const isStarted = repository.exists(session.id);
    const [, , started, replaced] = await database.commit([
      // The password may have been changed since it was read: then the session is not written.
      ...repository.insertSession(session, refreshToken.digest, credentials.isUnchanged(snapshot)),
      repository.replaceOldest(user.id, session.createdAt),
      audit.record({
        actor: { kind: "user", userId: user.id, role: user.role, sessionId: session.id },
        action: "session.start",
        subject: `user:${user.id}`,
        details: { session: session.id, device: session.device },
        guard: isStarted,
      }),
      ...(rehash === null ? [] : [credentials.rehash(snapshot, rehash)]),
      ...(await attempt.record(database, { ...pair, user }, isStarted)),
    ]);
    if (started.length === 0) throw new AppError("unavailable", "the account changed while it logged in");
    this.#forgetReplaced(user.id, replaced);
    return { ...pair, user };
  }

  #newSession(userId: string): NewSession {
    const { scope, sessionTtlSeconds } = this.#on;
    const nowMs = scope.clock();
    return {
      id: scope.newId(),
      userId,
      device: deviceLabel(scope.caller?.userAgent),
      location: locationLabel(scope.caller?.cf),
      createdAt: nowMs,
      expiresAt: nowMs + sessionTtlSeconds * 1000,
    };
  }

  /** A hash under today's parameters, or null when the isolate is busy: the next login will do. */
  async #rehash(password: string): Promise<string | null> {
    try {
      return await this.#on.hasher.hash(password);
    } catch (error) {
      if (error instanceof AppError && error.code === "unavailable") return null;
      throw error;
    }
  }

  /** Nobody was promised that these end now, so it happens after the answer; their tokens expire by themselves. */
  #forgetReplaced(userId: string, replaced: readonly { readonly id: string }[]): void {
    if (replaced.length === 0) return;
    const { revoker, scope } = this.#on;
    const ids = replaced.map(({ id }) => id);
    scope.waitUntil(
      revoker.revoke(userId, this.#revocationOf(ids)).catch(() => {
        scope.log.log("warn", "auth.replaced_sessions_not_revoked", { count: ids.length });
      }),
    );
  }

  async #issuePair(
    { user, tokenEpoch }: Credential,
    session: Pick<SessionRow, "id" | "expiresAt">,
    refreshToken: string,
  ): Promise<TokenPair> {
    const { accessTokens, scope } = this.#on;
    const { token, expiresIn } = await accessTokens.issue({
      tokenId: scope.newId(),
      userId: user.id,
      sessionId: session.id,
      role: user.role,
      epoch: tokenEpoch,
      sessionExpiresAt: session.expiresAt,
    });
    return { accessToken: token, tokenType: "Bearer", expiresIn, refreshToken };
  }

  async #endReused(session: Pick<SessionRow, "id" | "userId">): Promise<Outcome<never>> {
    const { userId, id } = session;
    await this.#commitEnd({
      actor: { kind: "system", name: "auth" },
      userId,
      ids: [id],
      reason: "reuse",
      event: { type: "session.reuse_detected", data: { userId, sessionId: id } },
    });
    return refuseEnded();
  }

  /** @param more statements for the same batch */
  async #end(
    actor: Actor,
    userId: string,
    ids: readonly string[],
    reason: EndReason,
    more: readonly Statement[] = [],
  ): Promise<void> {
    const event = { type: "session.ended", data: { userId, sessionIds: ids, reason } } as const;
    await this.#commitEnd({ actor, userId, ids, reason, event, more });
  }

  /** The object first: a session that D1 calls ended must not be served any more. */
  async #commitEnd(end: {
    actor: Actor;
    userId: string;
    ids: readonly string[];
    reason: EndReason;
    event: { type: AuthEventType; data: object };
    more?: readonly Statement[];
  }): Promise<void> {
    const { database, repository, revoker, outbox, audit, scope } = this.#on;
    const nowMs = scope.clock();
    const eventId = scope.newId();
    const isAll = end.reason === "logout_all";
    const nextSecond = Math.floor(nowMs / 1000) + 1;
    await revoker.revoke(end.userId, {
      ...this.#revocationOf(end.ids),
      ...(isAll ? { minIssuedAt: nextSecond } : {}),
    });
    const isDone = repository.wasEndedBy({ eventId });
    await database.commit([
      repository.endSessions(end.ids, end.reason, nowMs, { eventId }),
      ...outbox.record({
        id: eventId,
        type: end.event.type,
        source: AUTH_SOURCE,
        subject: end.userId,
        version: authEvents[end.event.type].version,
        data: end.event.data,
        guard: isDone,
      }),
      audit.record({
        actor: end.actor,
        action: "session.end",
        subject: `user:${end.userId}`,
        details: { sessions: end.ids, reason: end.reason },
        guard: isDone,
      }),
      ...(isAll ? [repository.revokeIdentitiesOf(end.userId, nextSecond - 1)] : []),
      ...(end.more ?? []),
    ]);
    outbox.relaySoon([eventId]);
  }

  #revocationOf(ids: readonly string[]): NewRevocations {
    return sessionRevocations(ids, this.#on.scope.clock());
  }
}

const RETENTION_MS = 86_400_000;
const RETENTION_STEP_ROWS = 500;
const RETENTION_STEPS_MAX = 10;

/** Above every epoch: of a deleted user no token is good. */
const EPOCH_MAX = Number.MAX_SAFE_INTEGER;

/** `sessionIds` or `sessionId` of an event's data. */
function sessionIdsOf(data: unknown): readonly string[] {
  const parsed = z
    .object({ sessionIds: z.array(z.uuid()).optional(), sessionId: z.uuid().optional() })
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

type UserActor = Extract<Actor, { kind: "user" }>;

/** The caller as a user with sessions of its own. */
export function requireUser(actor: Actor): Outcome<UserActor> {
  return actor.kind === "user" ? done(actor) : refuse("unauthenticated", "This call needs an access token.");
}

function digestsOf([first, ...rest]: readonly [RefreshToken, ...RefreshToken[]]): readonly [
  string,
  ...string[],
] {
  return [first.digest, ...rest.map(({ digest }) => digest)];
}

function refuseRefreshToken() {
  return refuse("unauthenticated", "The refresh token is not valid.");
}

function refuseEnded() {
  return refuse("token_revoked", "The session of this token was ended. Log in again.");
}
