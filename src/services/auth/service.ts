import { emailKey } from "../../kernel/email-key";
import { AppError, done, type Outcome, refuse, refuseNotFound } from "../../kernel/errors";
import type { CloudEvent } from "../../kernel/event";
import { authorize } from "../../kernel/permissions";
import type { Call } from "../../platform/call";
import type { Statement } from "../../platform/database";
import { inSteps } from "../../platform/in-steps";
import type { Credential } from "../users";
import type { VerifiedToken } from "./access-tokens";
import { type AuthDependencies, requireUser } from "./auth-dependencies";
import type { NewSession, SessionRow } from "./model";
import { deviceLabel, locationLabel } from "./origin";
import { chainOf, newRefreshToken, REFRESH_GRACE_MS, type RefreshToken } from "./refresh-chain";
import type { LogIn, LogInInput, Session, TokenPair } from "./schemas";
import { SessionEnding } from "./session-ending";
import { toSession } from "./session-view";

export class AuthService {
  readonly #on: AuthDependencies;
  readonly #ending: SessionEnding;

  constructor(dependencies: AuthDependencies) {
    this.#on = dependencies;
    this.#ending = new SessionEnding(dependencies);
  }

  /**
   * Starts a session. An address that nobody has costs the same work and answers the same.
   * **Errors**: `invalid_credentials`; `rate_limited`; `unavailable` (too many hashes at once, or the account changed
   * in this moment). **Cost**: 2 D1 round trips (1 when refused), 1 scrypt, the attempt's budgets.
   */
  async logIn(_call: Call, input: LogInInput): Promise<Outcome<LogIn>> {
    const { attempts, database, credentials, hasher } = this.#on;
    const key = emailKey(input.email);
    const charged = await attempts.begin([
      ["loginPerIp", "caller"],
      ["loginPerAccount", { account: key }],
    ]);
    if (!charged.ok) return charged;
    const { rows } = await charged.value.refundOnFailure(() =>
      database.read("primary", [credentials.selectByEmail(key)]),
    );
    const credential = credentials.credentialOf(rows[0]);
    const check = await charged.value.refundOnFailure(() =>
      hasher.verify(input.password, credential?.passwordHash ?? null),
    );
    if (credential === null || !check.isMatch) {
      return refuse("invalid_credentials", "No account has this address with this password.");
    }
    const rehash = check.needsRehash ? await this.#rehash(input.password) : null;
    const [logIn] = await Promise.all([this.#startSession(credential, rehash), charged.value.refund()]);
    return done(logIn);
  }

  /**
   * Exchanges a refresh token for its successor and a new access token. Any number may present one token within the
   * grace and get the same successor, so that the call needs no key to be safe to repeat; past it the whole session ends, for one of the two holders is not its owner.
   * **Errors**: `unauthenticated` (not ours), `token_expired`, `token_revoked`, `rate_limited`, `unavailable`.
   * **Cost**: 1 D1 round trip; 2 and a call to the user's object when reuse is detected.
   */
  async refresh(_call: Call, presented: string): Promise<Outcome<TokenPair>> {
    const { attempts, database, sessions, credentials, deriver, scope } = this.#on;
    const attempt = await attempts.begin([["refreshPerIp", "caller"]]);
    if (!attempt.ok) return attempt;
    const chain = await chainOf(deriver, presented);
    if (chain === null) return refuseRefreshToken();

    const nowMs = scope.clock();
    const { digest, successors } = chain;
    const {
      rows: [, , , found, known, owners],
    } = await database.commit(
      [
        ...sessions.rotate({ presented: digest, successors: digestsOf(successors), nowMs }),
        credentials.selectById(sessions.ownerOfRefreshToken(digest)),
      ],
      { isIdempotent: true },
    );
    const [session] = found;
    if (session === undefined) return refuseRefreshToken();
    const owner = credentials.credentialOf(owners);
    if (session.endedAt !== null || owner === null) return refuseEnded();
    if (session.expiresAt <= nowMs)
      return refuse("token_expired", "The session is past its life. Log in again.");
    if (session.usedAt === null) throw new TypeError("a live session's refresh token was not marked used");
    if (nowMs - session.usedAt > REFRESH_GRACE_MS) {
      await this.#ending.endReused(session);
      return refuseEnded();
    }

    const stored = new Set(known.map((row) => row.digest));
    const last = successors.findLast((successor) => stored.has(successor.digest)) ?? successors[0];
    return done(await this.#issuePair(owner, session, last.token));
  }

  /** The caller's live sessions, newest first, in one page. **Errors**: `unauthenticated`. **Cost**: 1 D1 round trip. */
  async listSessions(call: Call): Promise<Outcome<readonly Session[]>> {
    const { actor } = call;
    const user = requireUser(actor);
    if (!user.ok) return user;
    const { database, sessions, scope } = this.#on;
    const { userId, sessionId } = user.value;
    const {
      rows: [rows],
    } = await database.read("primary", [sessions.liveSessions(userId, scope.clock())]);
    return done(rows.map((row) => toSession(row, sessionId)));
  }

  /** Ends one of the caller's sessions. **Errors**: `not_found`, `unavailable`. **Cost**: 2 D1 round trips, 1 object call. */
  async endSession(call: Call, sessionId: string): Promise<Outcome<null>> {
    const { actor } = call;
    const user = requireUser(actor);
    if (!user.ok) return user;
    const { database, sessions, scope } = this.#on;
    const { rows, ended } = await call.key.open(database, [sessions.session(sessionId)]);
    const [row] = rows[0];
    if (row === undefined || !authorize(actor, "session.end", row.userId).ok) return refuseNotFound();
    if (ended !== null) return ended;
    const isLive = row.endedAt === null && row.expiresAt > scope.clock();
    if (!isLive) return refuseNotFound();
    await this.#ending.end(actor, row.userId, [sessionId], "revoked", await call.key.record(database, null));
    return done(null);
  }

  /** Ends the caller's own session. **Errors**: `unauthenticated`, `unavailable`. **Cost**: 1 D1 round trip, 1 object call. */
  async logOut(call: Call): Promise<Outcome<null>> {
    const { actor } = call;
    const user = requireUser(actor);
    if (!user.ok) return user;
    const { userId, sessionId } = user.value;
    // A foreign issuer's token has no session here: what ends is every token its subject was issued so far.
    if (sessionId === null) return await this.logOutAll(call);
    await this.#ending.end(actor, userId, [sessionId], "logout");
    return done(null);
  }

  /**
   * Ends all the caller's sessions, and every foreign token issued so far.
   * **Errors**: `unauthenticated`, `unavailable`. **Cost**: 2 D1 round trips, 1 object call.
   */
  async logOutAll(call: Call): Promise<Outcome<null>> {
    const { actor } = call;
    const user = requireUser(actor);
    if (!user.ok) return user;
    const { database, sessions, scope } = this.#on;
    const { userId } = user.value;
    const {
      rows: [rows],
    } = await database.read("primary", [sessions.liveSessions(userId, scope.clock())]);
    const ids = rows.map((row) => row.id);
    await this.#ending.end(actor, userId, ids, "logout_all");
    return done(null);
  }

  /**
   * What D1 says of a token, for requests whose user's object is silent: its session lives and its epoch is current.
   * **Cost**: 1 D1 round trip to the primary.
   */
  async isValid(token: VerifiedToken): Promise<boolean> {
    const { database, sessions, credentials, scope } = this.#on;
    const {
      rows: [[session], accounts],
    } = await database.read("primary", [
      sessions.session(token.sessionId),
      credentials.selectById(token.userId),
    ]);
    const account = credentials.credentialOf(accounts);
    const isLive = session !== undefined && session.endedAt === null && session.expiresAt > scope.clock();
    return isLive && account !== null && token.epoch >= account.tokenEpoch;
  }

  /** All that is kept of a deleted user here, as statements. */
  erasureOf(userId: string): Statement[] {
    const { sessions, oneTimeTokens, identities, scope } = this.#on;
    return [
      ...sessions.deleteAllOf(userId),
      oneTimeTokens.deleteAllOf(userId),
      identities.orphanAllOf(userId, scope.clock()),
    ];
  }

  /**
   * The revocation that an event of this service or `user.deleted` speaks of, once more. **Errors**: `unavailable`.
   * **Cost**: 1 object call.
   */
  async repeatRevocation(event: CloudEvent): Promise<void> {
    await this.#ending.repeat(event);
  }

  /**
   * Retention: removes sessions, refresh tokens and one-time tokens that expired a day ago, in bounded steps; what is
   * left is removed at the next call. **Cost**: at most 10 D1 round trips.
   */
  async removeExpired(): Promise<{ readonly removed: number }> {
    const { database, sessions, oneTimeTokens, identities, scope } = this.#on;
    const beforeMs = scope.clock() - RETENTION_MS;
    const removed = await inSteps(RETENTION_BOUND, async (rowsMax) => {
      const { rows: results } = await database.commit([
        ...sessions.removeExpired(beforeMs, rowsMax),
        oneTimeTokens.removeExpired(beforeMs, rowsMax),
        identities.removeOrphaned(beforeMs, rowsMax),
      ]);
      return results.reduce((sum, rows) => sum + rows.length, 0);
    });
    return { removed };
  }

  async #startSession(credential: Credential, rehash: string | null): Promise<LogIn> {
    const { database, sessions, credentials, audit } = this.#on;
    const { user, tokenEpoch, passwordHash } = credential;
    const session = this.#newSession(user.id);
    const refreshToken = await newRefreshToken();
    const pair = await this.#issuePair(credential, session, refreshToken.token);
    const snapshot = { id: user.id, tokenEpoch, passwordHash };
    const isStarted = sessions.exists(session.id);
    const {
      rows: [, , started, replaced],
    } = await database.commit([
      // The password may have been changed since it was read: then the session is not written.
      ...sessions.insertSession(session, refreshToken.digest, credentials.isUnchanged(snapshot)),
      sessions.replaceOldest(user.id, session.createdAt),
      audit.record({
        actor: { kind: "user", userId: user.id, role: user.role, sessionId: session.id },
        action: "session.start",
        subject: `user:${user.id}`,
        details: { session: session.id, device: session.device },
        guard: isStarted,
      }),
      ...(rehash === null ? [] : [credentials.rehash(snapshot, rehash)]),
    ]);
    if (started.length === 0) throw new AppError("unavailable", "the account changed while it logged in");
    this.#ending.forgetReplaced(user.id, replaced);
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
}

const RETENTION_MS = 86_400_000;
/** Rows of each table: a step that removes fewer in all has left none that it may remove. */
const RETENTION_BOUND = { rows: 500, steps: 10 };

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
