/**
 * Passwords: one that is lost is recovered by a mail, and one that is changed ends what it must. No answer here tells a
 * stranger whether an address is known.
 */

import type { Actor } from "../../kernel/actor";
import { emailKey } from "../../kernel/email-key";
import { done, type Outcome, refuse, type Violation } from "../../kernel/errors";
import { passwordViolations } from "../../kernel/password-policy";
import type { Call } from "../../platform/call";
import type { Statement } from "../../platform/database";
import type { NewRevocations } from "../../platform/limiter";
import { type Mark, newMark } from "../../platform/mark";
import type { Credential, Snapshot } from "../users";
import { type AuthDependencies, requireUser } from "./auth-dependencies";
import { recordAuthEvent } from "./events";
import { changedMeanwhile, MailedTokens } from "./mailed-tokens";
import { oneTimeTokenFor } from "./one-time-tokens";
import type { ChangePasswordInput, ResetPasswordInput } from "./schemas";
import { sessionRevocations } from "./session-ending";

/** Above what the work takes, for a known address or an unknown one. */
const FORGOT_FLOOR_MS = 250;

export class RecoveryService {
  readonly #on: AuthDependencies;
  readonly #tokens: MailedTokens;

  constructor(dependencies: AuthDependencies) {
    this.#on = dependencies;
    this.#tokens = new MailedTokens(dependencies);
  }

  /**
   * Mails a token to the address, if an account has it. The same statements run whether or not one does: for an
   * unknown address their guards do not hold, but for the audit row, which is written either way; and no answer comes
   * before `FORGOT_FLOOR_MS`.
   * **Errors**: `rate_limited`, `unavailable`. **Cost**: 2 D1 round trips.
   */
  async forgotPassword(call: Call, email: string): Promise<Outcome<null>> {
    const { attempts, database, credentials, oneTimeTokens, audit, deriver, scope, outbox, sleep } = this.#on;
    const floor = sleep(FORGOT_FLOOR_MS);
    const key = emailKey(email);
    const { rows, ended } = await call.key.open(database, [credentials.selectByEmail(key)]);
    if (ended !== null) return ended;
    const charged = await attempts.begin([
      ["forgotPerIp", "caller"],
      ["forgotPerAccount", { account: key }],
    ]);
    if (!charged.ok) return charged;
    const credential = credentials.credentialOf(rows[0]);

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
    const answer = await database.commit([
      audit.record({
        actor: { kind: "anonymous" },
        action: "password.forgot",
        subject: credential === null ? "unknown" : `user:${userId}`,
      }),
      oneTimeTokens.voidOlder(row),
      oneTimeTokens.insert(row, isKnown),
      ...recordAuthEvent(outbox, {
        type: "password.reset_requested",
        id: eventId,
        userId,
        data: { userId },
        guard: isKnown,
      }),
      ...(await call.key.record(database, null)),
    ]);
    // A few more rows take a few milliseconds more. Who waits for the slower of the two cannot tell.
    await floor;
    outbox.relaySoon(answer);
    return done(null);
  }

  /**
   * Sets a new password by a mailed token, which is used up, proves the address and ends every session.
   * **Errors**: `token_invalid`, `validation_failed` (policy; the token stays good), `rate_limited`, `unavailable`.
   * **Cost**: 2 D1 round trips, 1 scrypt, 1 object call.
   */
  async resetPassword(_call: Call, input: ResetPasswordInput): Promise<Outcome<null>> {
    const opened = await this.#tokens.open(input.token, ["password_reset"], "resetPerIp");
    if (!opened.ok) return opened;
    const found = opened.value;
    const { token, credential } = found;
    const violations = passwordViolations(input.password, credential.user, "#/password");
    if (violations.length > 0) return refusePassword(violations);

    const { database, credentials, sessions, oneTimeTokens, identities, hasher, revoker, users } = this.#on;
    const passwordHash = await hasher.hash(input.password);
    const mark = newMark(this.#on.scope, token.userId);
    const noticeId = this.#on.scope.newId();
    const throughSeconds = Math.floor(mark.at / 1000);
    // No statement below raises the epoch unless it is still the one that was read: so the object learns the right one.
    await revoker.revoke(token.userId, {
      minEpoch: credential.tokenEpoch + 1,
      minIssuedAt: throughSeconds + 1,
    });
    const isDone = credentials.isDoneBy(mark);
    const account = credentials.selectById(token.userId);
    const answer = await database.commit([
      credentials.resetPassword(mark, snapshotOf(credential), {
        passwordHash,
        addressKey: token.addressKey,
        guard: oneTimeTokens.isUsableNow(token, mark.at),
      }),
      oneTimeTokens.use(token, mark.at, mark, isDone),
      oneTimeTokens.voidAllOf(token.userId, ["password_reset", "email_change"], mark.at, isDone),
      sessions.endSessionsOf(everySessionOf(token.userId), "password_reset", mark.at, mark, isDone),
      identities.revokeAllOf(token.userId, throughSeconds, isDone),
      ...users.updatedBy(mark, credential.user),
      ...this.#passwordChanged(mark, noticeId, { kind: "anonymous" }, "reset"),
      account,
    ]);
    return this.#tokens.settle(mark, answer, credentials.credentialOf(answer.of(account)), found);
  }

  /**
   * Replaces the password by one who knows the old. Every other session ends; the caller's goes on with its tokens.
   * **Errors**: `unauthenticated`; `invalid_credentials`; `validation_failed` (policy); `rate_limited`; `unavailable`.
   * **Cost**: 2 D1 round trips, 2 scrypt, 1 object call; 2 when somebody logged in meanwhile.
   */
  async changePassword(call: Call, input: ChangePasswordInput): Promise<Outcome<null>> {
    const { actor } = call;
    const { attempts, database, credentials, sessions, oneTimeTokens, identities } = this.#on;
    const { hasher, revoker, outbox, scope } = this.#on;
    const caller = requireUser(actor);
    if (!caller.ok) return caller;
    const { userId, sessionId } = caller.value;
    const { rows, ended } = await call.key.open(database, [
      credentials.selectById(userId),
      sessions.liveSessions(userId, scope.clock()),
    ]);
    if (ended !== null) return ended;
    // Of its own name, so that a stranger's failed logins do not lock the owner out of a live session.
    const charged = await attempts.begin([["loginPerAccount", { account: `change ${userId}` }]]);
    if (!charged.ok) return charged;
    const [accounts, live] = rows;
    const credential = credentials.credentialOf(accounts);
    if (credential === null) return refuse("token_revoked", "The account of this token is gone.");
    const violations = passwordViolations(input.newPassword, credential.user, "#/newPassword");
    if (violations.length > 0) return refusePassword(violations);
    const check = await charged.value.refundOnFailure(() =>
      hasher.verify(input.currentPassword, credential.passwordHash),
    );
    if (!check.isMatch) return refuse("invalid_credentials", "The current password is not right.");
    await charged.value.refund();

    const passwordHash = await hasher.hash(input.newPassword);
    const mark = newMark(this.#on.scope, userId);
    const others = live.map((session) => session.id).filter((id) => id !== sessionId);
    await this.#revokeOthers(revoker, userId, others, sessionId, mark.at);
    const isDone = credentials.isDoneBy(mark);
    const own = { userId, keptId: sessionId };
    const answer = await database.commit([
      credentials.changePassword(mark, snapshotOf(credential), passwordHash),
      credentials.selectById(userId),
      sessions.endSessionsOf(own, "password_changed", mark.at, mark, isDone),
      oneTimeTokens.voidAllOf(userId, ["password_reset"], mark.at, isDone),
      ...(sessionId === null ? [] : [identities.revokeAllOf(userId, Math.floor(mark.at / 1000), isDone)]),
      ...this.#passwordChanged(mark, mark.changeId, actor, "change"),
      ...(await call.key.record(database, null, isDone)),
    ]);
    const [, after, sessionsEnded] = answer.rows;
    if (credentials.credentialOf(after)?.lastChangeId !== mark.changeId) {
      // Nothing was written, so the caller may repeat the call with its key at once.
      await call.key.abandon();
      throw changedMeanwhile();
    }
    outbox.relaySoon(answer);
    // Who logged in with the old password while the new one was hashed is out as well, before this is acknowledged.
    const late = sessionsEnded.map(({ id }) => id).filter((id) => !others.includes(id));
    if (late.length > 0) await revoker.revoke(userId, sessionRevocations(late, mark.at));
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

  #passwordChanged(mark: Mark, eventId: string, actor: Actor, method: "change" | "reset"): Statement[] {
    const { audit, credentials, outbox } = this.#on;
    const guard = credentials.isDoneBy(mark);
    const data = { userId: mark.id, method };
    return [
      ...recordAuthEvent(outbox, { type: "password.changed", id: eventId, userId: mark.id, data, guard }),
      audit.record({ actor, action: `password.${method}`, subject: `user:${mark.id}`, guard }),
    ];
  }
}

function everySessionOf(userId: string) {
  return { userId, keptId: null };
}

function snapshotOf({ user, tokenEpoch, passwordHash }: Credential): Snapshot {
  return { id: user.id, tokenEpoch, passwordHash };
}

function refusePassword(violations: readonly Violation[]) {
  return refuse("validation_failed", "The password is not acceptable.", { violations });
}
