/** That an address is its user's: proven by a token that was mailed there, and mailed again on request. */

import { done, type Outcome, refuse } from "../../kernel/errors";
import type { Call } from "../../platform/call";
import { isViolationOf } from "../../platform/constraint-violation";
import { newMark } from "../../platform/mark";
import { type AuthDependencies, requireUser } from "./auth-dependencies";
import { recordAuthEvent } from "./events";
import { MailedTokens, refuseOneTimeToken } from "./mailed-tokens";
import type { Purpose } from "./model";

export class AddressProof {
  readonly #on: AuthDependencies;
  readonly #tokens: MailedTokens;

  constructor(dependencies: AuthDependencies) {
    this.#on = dependencies;
    this.#tokens = new MailedTokens(dependencies);
  }

  /**
   * Proves an address by a mailed token: the user's own, or the pending one, which takes effect then.
   * **Errors**: `token_invalid`, also when the address was taken meanwhile; `rate_limited`; `unavailable`.
   * **Cost**: 2 D1 round trips.
   */
  async verifyEmail(_call: Call, presented: string): Promise<Outcome<null>> {
    const purposes: readonly Purpose[] = ["email_verification", "email_change"];
    const opened = await this.#tokens.open(presented, purposes, "verifyPerIp");
    if (!opened.ok) return opened;
    const found = opened.value;
    const { token } = found;
    const { database, credentials, oneTimeTokens, users, audit } = this.#on;
    const mark = newMark(this.#on.scope, token.userId);
    const isUsable = oneTimeTokens.isUsableNow(token, mark.at);
    const isDone = credentials.isDoneBy(mark);
    const { user } = found.credential;
    const proven =
      token.purpose === "email_change" ? { ...user, email: user.pendingEmail ?? user.email } : user;
    const change =
      token.purpose === "email_change"
        ? credentials.confirmEmail(mark, token.addressKey, isUsable)
        : credentials.verifyEmail(mark, token.addressKey, isUsable);
    try {
      const account = credentials.selectById(token.userId);
      const answer = await database.commit([
        change,
        oneTimeTokens.use(token, mark.at, mark, isDone),
        ...users.updatedBy(mark, proven),
        audit.record({
          actor: { kind: "anonymous" },
          action: token.purpose === "email_change" ? "email.change" : "email.verify",
          subject: `user:${token.userId}`,
          guard: isDone,
        }),
        account,
      ]);
      return this.#tokens.settle(mark, answer, credentials.credentialOf(answer.of(account)), found);
    } catch (error) {
      if (isViolationOf(error, "users.email_key")) return refuseOneTimeToken();
      throw error;
    }
  }

  /**
   * Mails another token to the address that waits for proof: the pending one, else the user's own. Nothing is sent
   * when none waits.
   * **Errors**: `unauthenticated`, `rate_limited`, `unavailable`. **Cost**: 2 D1 round trips.
   */
  async resendVerification(call: Call): Promise<Outcome<null>> {
    const { actor } = call;
    const { attempts, database, credentials, users, audit, outbox, scope } = this.#on;
    const owner = requireUser(actor);
    if (!owner.ok) return owner;
    const { userId } = owner.value;
    const { rows, ended } = await call.key.open(database, [credentials.selectById(userId)]);
    if (ended !== null) return ended;
    const charged = await attempts.begin([
      ["verifyPerIp", "caller"],
      ["forgotPerAccount", { account: `resend ${userId}` }],
    ]);
    if (!charged.ok) return charged;
    const credential = credentials.credentialOf(rows[0]);
    if (credential === null) return refuse("token_revoked", "The account of this token is gone.");
    const { pendingEmail, emailVerified } = credential.user;
    const isAnyWaiting = pendingEmail !== null || !emailVerified;
    const eventId = scope.newId();
    const requested = () =>
      pendingEmail === null
        ? recordAuthEvent(outbox, {
            type: "email.verification_requested",
            id: eventId,
            userId,
            data: { userId },
          })
        : users.emailChangeRequested(eventId, credential.user, pendingEmail);
    const answer = await database.commit([
      audit.record({ actor, action: "email.resend", subject: `user:${userId}` }),
      ...(isAnyWaiting ? requested() : []),
      ...(await call.key.record(database, null)),
    ]);
    outbox.relaySoon(answer);
    return done(null);
  }
}
