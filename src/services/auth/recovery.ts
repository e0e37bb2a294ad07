/**
 * Passwords and addresses: what is lost is recovered by a mail, and what is changed ends what it must. No answer here
 * tells a stranger whether an address is known.
 */
import type { Actor } from "../../kernel/actor";
import { AppError, done, type Outcome, refuse, type Violation } from "../../kernel/errors";
import { passwordViolations } from "../../kernel/password-policy";
import { type Guard, isViolationOf, type Stamped, type Statement } from "../../platform/database";
import type { AuthBudgetName } from "../../platform/env";
import { type Attempt, unkeyed } from "../../platform/idempotency";
import type { NewRevocations } from "../../platform/limiter";
import { type Credential, emailKey, type Snapshot, type Stamp } from "../users";
import { type AuthDependencies, requireUser } from "./auth-dependencies";
import { AUTH_SOURCE, type AuthEventType, authEvents } from "./events";
import type { OneTimeTokenRow, Purpose } from "./model";
import { oneTimeTokenFor } from "./one-time-tokens";
import { digestOf } from "./refresh-chain";
import type { ChangePasswordInput, ResetPasswordInput } from "./schemas";
import { sessionRevocations } from "./session-ending";

/** Above what the work takes, for a known address or an unknown one. */
const FORGOT_FLOOR_MS = 250;

export class RecoveryService {
  readonly #on: AuthDependencies;

  constructor(dependencies: AuthDependencies) {
    this.#on = dependencies;
  }

  /**
   * Mails a token to the address, if an account has it. The same statements run whether or not one does: for an
   * unknown address their guards do not hold, but for the audit row, which is written either way; and no answer comes
   * before `FORGOT_FLOOR_MS`.
   * **Errors**: `rate_limited`, `unavailable`. **Cost**: 2 D1 round trips.
   */
  async forgotPassword(email: string, attempt: Attempt<null> = unkeyed()): Promise<Outcome<null>> {
    const { attempts, database, credentials, repository, audit, deriver, scope, outbox, sleep } = this.#on;
    const floor = sleep(FORGOT_FLOOR_MS);
    const key = emailKey(email);
    const { rows, ended } = await attempt.open(database, [credentials.selectByEmail(key)]);
    if (ended !== null) return ended;
    const charged = await attempts.begin([
      ["forgotPerIp", "caller"],
      ["forgotPerAccount", { account: key }],
    ]);
    if (!charged.ok) return charged;
    const credential = credentials.read(rows[0]);

    const eventId = scope.newId();
    // A stranger's stand-in: an id that no user has.
    const userId = credential?.user.id ?? scope.newId();
    const request = {
      eventId,
      userId,
      purpose: "password_reset",
      addressKey: key,
      at: scope.clock(),
    } as const;
    const { row } = await oneTimeTokenFor(deriver, request);
    const isKnown = credentials.isThere(userId);
    await database.commit([
      audit.record({
        actor: { kind: "anonymous" },
        action: "password.forgot",
        subject: credential === null ? "unknown" : `user:${userId}`,
      }),
      repository.voidOlderTokens(row),
      repository.insertOneTimeToken(row, isKnown),
      ...this.#event("password.reset_requested", eventId, userId, { userId }, isKnown),
      ...(await attempt.record(database, null)),
    ]);
    // A few more rows take a few milliseconds more. Who waits for the slower of the two cannot tell.
    await floor;
    outbox.relaySoon([eventId]);
    return done(null);
  }

  /**
   * Sets a new password by a mailed token, which is used up, proves the address and ends every session.
   * **Errors**: `token_invalid`, `validation_failed` (policy; the token stays good), `rate_limited`, `unavailable`.
   * **Cost**: 2 D1 round trips, 1 scrypt, 1 object call.
   */
  async resetPassword(input: ResetPasswordInput): Promise<Outcome<null>> {
    const opened = await this.#openToken(input.token, ["password_reset"], "resetPerIp");
    if (!opened.ok) return opened;
    const found = opened.value;
    const { token, credential } = found;
    const violations = passwordViolations(input.password, credential.user, "#/password");
    if (violations.length > 0) return refusePassword(violations);

    const { database, credentials, repository, hasher, revoker, users, outbox } = this.#on;
    const passwordHash = await hasher.hash(input.password);
    const stamp = this.#newStamp(token.userId);
    const noticeId = this.#on.scope.newId();
    const throughSeconds = Math.floor(stamp.at / 1000);
    // No statement below raises the epoch unless it is still the one that was read: so the object learns the right one.
    await revoker.revoke(token.userId, {
      minEpoch: credential.tokenEpoch + 1,
      minIssuedAt: throughSeconds + 1,
    });
    const isDone = credentials.isDoneBy(stamp);
    const { value: rows, ...state } = await database.commitReturningStamped(
      [
        credentials.resetPassword(stamp, snapshotOf(credential), {
          passwordHash,
          addressKey: token.addressKey,
          guard: repository.isUsableNow(token, stamp.at),
        }),
        repository.useToken(token, stamp.at, stamp, isDone),
        repository.voidTokensOf(token.userId, ["password_reset", "email_change"], stamp.at, isDone),
        repository.endSessionsOf(everySessionOf(token.userId), "password_reset", stamp.at, stamp, isDone),
        repository.revokeIdentitiesOf(token.userId, throughSeconds, isDone),
        ...users.updatedBy(stamp),
        ...this.#passwordChanged(stamp, noticeId, { kind: "anonymous" }, "reset"),
      ],
      credentials.selectById(token.userId),
    );
    const outcome = this.#settle(stamp, { ...state, value: credentials.read(rows) }, found);
    if (outcome.ok) outbox.relaySoon([noticeId]);
    return outcome;
  }

  /**
   * Replaces the password by one who knows the old. Every other session ends; the caller's goes on with its tokens.
   * **Errors**: `unauthenticated`; `invalid_credentials`; `validation_failed` (policy); `rate_limited`; `unavailable`.
   * **Cost**: 2 D1 round trips, 2 scrypt, 1 object call; 2 when somebody logged in meanwhile.
   */
  async changePassword(
    actor: Actor,
    input: ChangePasswordInput,
    attempt: Attempt<null> = unkeyed(),
  ): Promise<Outcome<null>> {
    const { attempts, database, credentials, repository, hasher, revoker, outbox, scope } = this.#on;
    const caller = requireUser(actor);
    if (!caller.ok) return caller;
    const { userId, sessionId } = caller.value;
    const { rows, ended } = await attempt.open(database, [
      credentials.selectById(userId),
      repository.liveSessions(userId, scope.clock()),
    ]);
    if (ended !== null) return ended;
    // Of its own name, so that a stranger's failed logins do not lock the owner out of a live session.
    const charged = await attempts.begin([["loginPerAccount", { account: `change ${userId}` }]]);
    if (!charged.ok) return charged;
    const [accounts, live] = rows;
    const credential = credentials.read(accounts);
    if (credential === null) return refuse("token_revoked", "The account of this token is gone.");
    const violations = passwordViolations(input.newPassword, credential.user, "#/newPassword");
    if (violations.length > 0) return refusePassword(violations);
    const check = await charged.value.refundOnFailure(() =>
      hasher.verify(input.currentPassword, credential.passwordHash),
    );
    if (!check.isMatch) return refuse("invalid_credentials", "The current password is not right.");
    await charged.value.refund();

    const passwordHash = await hasher.hash(input.newPassword);
    const stamp = this.#newStamp(userId);
    const others = live.map((session) => session.id).filter((id) => id !== sessionId);
    await this.#revokeOthers(revoker, userId, others, sessionId, stamp.at);
    const isDone = credentials.isDoneBy(stamp);
    const own = { userId, keptId: sessionId };
    const [, after, sessionsEnded] = await database.commit([
      credentials.changePassword(stamp, snapshotOf(credential), passwordHash),
      credentials.selectById(userId),
      repository.endSessionsOf(own, "password_changed", stamp.at, stamp, isDone),
      repository.voidTokensOf(userId, ["password_reset"], stamp.at, isDone),
      ...(sessionId === null
        ? []
        : [repository.revokeIdentitiesOf(userId, Math.floor(stamp.at / 1000), isDone)]),
      ...this.#passwordChanged(stamp, stamp.eventId, actor, "change"),
      ...(await attempt.record(database, null, isDone)),
    ]);
    if (credentials.read(after)?.lastEventId !== stamp.eventId) throw changedMeanwhile();
    outbox.relaySoon([stamp.eventId]);
    // Who logged in with the old password while the new one was hashed is out as well, before this is acknowledged.
    const late = sessionsEnded.map(({ id }) => id).filter((id) => !others.includes(id));
    if (late.length > 0) await revoker.revoke(userId, sessionRevocations(late, stamp.at));
    return done(null);
  }

  /**
   * Proves an address by a mailed token: the user's own, or the pending one, which takes effect then.
   * **Errors**: `token_invalid`, also when the address was taken meanwhile; `rate_limited`; `unavailable`.
   * **Cost**: 2 D1 round trips.
   */
  async verifyEmail(presented: string): Promise<Outcome<null>> {
    const purposes: readonly Purpose[] = ["email_verification", "email_change"];
    const opened = await this.#openToken(presented, purposes, "verifyPerIp");
    if (!opened.ok) return opened;
    const found = opened.value;
    const { token } = found;
    const { database, credentials, repository, users, audit } = this.#on;
    const stamp = this.#newStamp(token.userId);
    const isUsable = repository.isUsableNow(token, stamp.at);
    const isDone = credentials.isDoneBy(stamp);
    const change =
      token.purpose === "email_change"
        ? credentials.confirmEmail(stamp, token.addressKey, isUsable)
        : credentials.verifyEmail(stamp, token.addressKey, isUsable);
    try {
      const { value: rows, ...state } = await database.commitReturningStamped(
        [
          change,
          repository.useToken(token, stamp.at, stamp, isDone),
          ...users.updatedBy(stamp),
          audit.record({
            actor: { kind: "anonymous" },
            action: token.purpose === "email_change" ? "email.change" : "email.verify",
            subject: `user:${token.userId}`,
            guard: isDone,
          }),
        ],
        credentials.selectById(token.userId),
      );
      return this.#settle(stamp, { ...state, value: credentials.read(rows) }, found);
    } catch (error) {
      if (isViolationOf(error, "users.email_key")) return refuseToken();
      throw error;
    }
  }

  /**
   * Mails another token to the address that waits for proof: the pending one, else the user's own. Nothing is sent
   * when none waits.
   * **Errors**: `unauthenticated`, `rate_limited`, `unavailable`. **Cost**: 2 D1 round trips.
   */
  async resendVerification(actor: Actor, attempt: Attempt<null> = unkeyed()): Promise<Outcome<null>> {
    const { attempts, database, credentials, users, audit, outbox, scope } = this.#on;
    const owner = requireUser(actor);
    if (!owner.ok) return owner;
    const { userId } = owner.value;
    const { rows, ended } = await attempt.open(database, [credentials.selectById(userId)]);
    if (ended !== null) return ended;
    const charged = await attempts.begin([
      ["verifyPerIp", "caller"],
      ["forgotPerAccount", { account: `resend ${userId}` }],
    ]);
    if (!charged.ok) return charged;
    const credential = credentials.read(rows[0]);
    if (credential === null) return refuse("token_revoked", "The account of this token is gone.");
    const { pendingEmail, emailVerified } = credential.user;
    const isAnyWaiting = pendingEmail !== null || !emailVerified;
    const eventId = scope.newId();
    const requested = () =>
      pendingEmail === null
        ? this.#event("email.verification_requested", eventId, userId, { userId })
        : users.emailChangeRequested(eventId, userId);
    await database.commit([
      audit.record({ actor, action: "email.resend", subject: `user:${userId}` }),
      ...(isAnyWaiting ? requested() : []),
      ...(await attempt.record(database, null)),
    ]);
    outbox.relaySoon(isAnyWaiting ? [eventId] : []);
    return done(null);
  }

  /** The token with its user, after the budget. **Errors**: `rate_limited`, `token_invalid`. */
  async #openToken(
    presented: string,
    purposes: readonly Purpose[],
    budget: AuthBudgetName,
  ): Promise<Outcome<Found>> {
    const { attempts, database, repository, credentials, scope } = this.#on;
    const charged = await attempts.begin([[budget, "caller"]]);
    if (!charged.ok) return charged;
    const digest = await digestOf(presented);
    const [[token], owners] = await database.read("primary", [
      repository.usableToken(digest, purposes, scope.clock()),
      credentials.selectById(repository.ownerOfOneTimeToken(digest)),
    ]);
    const credential = credentials.read(owners);
    return token === undefined || credential === null ? refuseToken() : done({ token, credential });
  }

  /** What came of a batch that used a token: done by us, or by somebody else before. */
  #settle(stamp: Stamp, committed: Stamped<Credential | null>, { credential }: Found): Outcome<null> {
    const { value: after, ...state } = committed;
    if (after?.lastEventId !== stamp.eventId) {
      // Another write of the account in between is no fault of the token.
      if (after !== null && after.tokenEpoch !== credential.tokenEpoch) throw changedMeanwhile();
      return refuseToken();
    }
    this.#on.users.settle(stamp, { ...state, value: after.user });
    return done(null);
  }

  /** All but the caller's session; foreign tokens too, unless the caller came with one. */
  async #revokeOthers(
    revoker: AuthDependencies["revoker"],
    userId: string,
    others: readonly string[],
    ownSessionId: string | null,
    nowMs: number,
  ): Promise<void> {
    const revocations: NewRevocations = {
      ...sessionRevocations(others, nowMs),
      ...(ownSessionId === null ? {} : { minIssuedAt: Math.floor(nowMs / 1000) + 1 }),
    };
    await revoker.revoke(userId, revocations);
  }

  #passwordChanged(stamp: Stamp, eventId: string, actor: Actor, method: "change" | "reset"): Statement[] {
    const { audit, credentials } = this.#on;
    const guard = credentials.isDoneBy(stamp);
    return [
      ...this.#event("password.changed", eventId, stamp.id, { userId: stamp.id, method }, guard),
      audit.record({ actor, action: `password.${method}`, subject: `user:${stamp.id}`, guard }),
    ];
  }

  #event(type: AuthEventType, id: string, userId: string, data: object, guard?: Guard): Statement[] {
    const { version } = authEvents[type];
    const event = { id, type, source: AUTH_SOURCE, subject: userId, version, data };
    return this.#on.outbox.record(guard === undefined ? event : { ...event, guard });
  }

  #newStamp(userId: string): Stamp {
    const { scope } = this.#on;
    return { id: userId, eventId: scope.newId(), at: scope.clock() };
  }
}

interface Found {
  readonly token: OneTimeTokenRow;
  readonly credential: Credential;
}

function everySessionOf(userId: string) {
  return { userId, keptId: null };
}

function snapshotOf({ user, tokenEpoch, passwordHash }: Credential): Snapshot {
  return { id: user.id, tokenEpoch, passwordHash };
}

function changedMeanwhile(): AppError {
  return new AppError("unavailable", "the account changed meanwhile");
}

/** One answer for all: mistyped, expired, used, replaced, for another purpose, or never given out. */
function refuseToken() {
  return refuse("token_invalid", "This token is not valid. Ask for a new mail and use the token from that.");
}

function refusePassword(violations: readonly Violation[]) {
  return refuse("validation_failed", "The password is not acceptable.", { violations });
}
