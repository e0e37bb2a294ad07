/** Whose a bearer token is: our own issue, or that of an issuer we trust. */
import type { Outcome } from "../../kernel/errors";
import type { AccessTokens, VerifiedToken } from "./access-tokens";
import type { ForeignToken, ForeignTokens } from "./foreign-tokens";

/** `sessionId` is null for a foreign one. */
export type BearerToken = VerifiedToken | ForeignToken;

/** What is known of a user's revocations, at most 60 s old. */
export interface Revoked {
  readonly minEpoch: number;
  /** Seconds: foreign tokens issued before are void. */
  readonly minIssuedAt: number;
  isSessionRevoked(sessionId: string): boolean;
}

export class Authenticator {
  readonly #own: AccessTokens;
  readonly #foreign: ForeignTokens;

  constructor(own: AccessTokens, foreign: ForeignTokens) {
    this.#own = own;
    this.#foreign = foreign;
  }

  /** **Errors** and **cost**: as `AccessTokens.verify` and `ForeignTokens.verify`. */
  async verify(token: string): Promise<Outcome<BearerToken>> {
    const issuer = this.#foreign.issuerOf(token);
    return issuer === null ? await this.#own.verify(token) : await this.#foreign.verify(issuer, token);
  }

  /**
   * The token once more, decided by what is known of its user's revocations; null when it is void. A foreign token has
   * no epoch of its own: when the remembered one is too low, whom it is here is read anew.
   */
  async stillGood(presented: string, token: BearerToken, known: Revoked): Promise<BearerToken | null> {
    if (token.sessionId !== null) {
      return token.epoch < known.minEpoch || known.isSessionRevoked(token.sessionId) ? null : token;
    }
    if (token.issuedAt < known.minIssuedAt) return null;
    if (token.epoch >= known.minEpoch) return token;
    const issuer = this.#foreign.issuerOf(presented);
    const anew = issuer === null ? null : await this.#foreign.verifyAnew(issuer, presented);
    return anew?.ok === true && anew.value.epoch >= known.minEpoch ? anew.value : null;
  }

  /** As `verify`, asking D1 whom a foreign token is here, whatever is remembered. */
  async verifyAnew(presented: string): Promise<BearerToken | null> {
    const issuer = this.#foreign.issuerOf(presented);
    const outcome =
      issuer === null ? await this.#own.verify(presented) : await this.#foreign.verifyAnew(issuer, presented);
    return outcome.ok ? outcome.value : null;
  }
}
