/** Tokens out of mails, from the other side: opened behind a budget, and used up by the batch that they allow. */
import { AppError, done, type Outcome, refuse } from "../../kernel/errors";
import type { Answer, Statements } from "../../platform/database";
import type { Mark } from "../../platform/mark";
import type { Credential } from "../users";
import type { AuthDependencies } from "./auth-dependencies";
import type { AuthBudgetName } from "./budgets";
import type { OneTimeTokenRow, Purpose } from "./model";
import { digestOf } from "./refresh-chain";

/** A token that can be used, and whose it is. */
export interface Found {
  readonly token: OneTimeTokenRow;
  readonly credential: Credential;
}

type Dependencies = Pick<
  AuthDependencies,
  "attempts" | "database" | "oneTimeTokens" | "credentials" | "users" | "scope"
>;

export class MailedTokens {
  readonly #on: Dependencies;

  constructor(dependencies: Dependencies) {
    this.#on = dependencies;
  }

  /** The token with its user, after the budget. **Errors**: `rate_limited`, `token_invalid`. */
  async open(
    presented: string,
    purposes: readonly Purpose[],
    budget: AuthBudgetName,
  ): Promise<Outcome<Found>> {
    const { attempts, database, oneTimeTokens, credentials, scope } = this.#on;
    const charged = await attempts.begin([[budget, "caller"]]);
    if (!charged.ok) return charged;
    const digest = await digestOf(presented);
    const {
      rows: [[token], owners],
    } = await database.read("primary", [
      oneTimeTokens.usable(digest, purposes, scope.clock()),
      credentials.selectById(oneTimeTokens.ownerOf(digest)),
    ]);
    const credential = credentials.credentialOf(owners);
    return token === undefined || credential === null ? refuseOneTimeToken() : done({ token, credential });
  }

  /** What came of a batch that used a token: done by us, or by somebody else before. */
  settle(
    mark: Mark,
    answer: Answer<Statements>,
    after: Credential | null,
    { credential }: Found,
  ): Outcome<null> {
    if (after === null || after.lastChangeId !== mark.changeId) {
      // Another write of the account in between is no fault of the token.
      if (after !== null && after.tokenEpoch !== credential.tokenEpoch) throw changedMeanwhile();
      return refuseOneTimeToken();
    }
    this.#on.users.settle(mark, answer, after);
    return done(null);
  }
}

/** One answer for all: mistyped, expired, used, replaced, for another purpose, or never given out. */
export function refuseOneTimeToken() {
  return refuse("token_invalid", "This token is not valid. Ask for a new mail and use the token from that.");
}

export function changedMeanwhile(): AppError {
  return new AppError("unavailable", "the account changed meanwhile");
}
