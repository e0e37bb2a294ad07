/** Whose a bearer token is: our own issue, or that of an issuer we trust. */
import type { Outcome } from "../../kernel/errors";
import type { AccessTokens, VerifiedToken } from "./access-tokens";
import type { ForeignToken, ForeignTokens } from "./foreign-tokens";

/** `sessionId` is null for a foreign one. */
export type BearerToken = VerifiedToken | ForeignToken;

/** What is known of a user's revocations, at most 60 s old. */
export interface Revoked {
  readonly minEpoch: number;
  /** When that was raised, in milliseconds; null when it is not known. */
  readonly minEpochSince: number | null;
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

  /** As `verify`, asking D1 whom a foreign token is here, whatever is remembered. */
  async verifyAnew(presented: string): Promise<BearerToken | null> {
    const issuer = this.#foreign.issuerOf(presented);
    const outcome =
      issuer === null ? await this.#own.verify(presented) : await this.#foreign.verifyAnew(issuer, presented);
    return outcome.ok ? outcome.value : null;
  }
}

/**
 * A verified token by what is known of its user's revocations.
 *
 * - `good`, `void`: decided.
 * - `unsure`: only D1 can tell. Of our own tokens one with too low an epoch although it was issued after that was
 *   raised: the object is told before the database's batch, and the batch may have failed. Were such a token void, an
 *   account would be locked out for as long as the object keeps the epoch. Of a foreign token, which has no epoch but
 *   the one that its user had when it was last read, any whose epoch is too low.
 */
export function judgeToken(token: BearerToken, known: Revoked): "good" | "void" | "unsure" {
  if (token.sessionId === null) {
    if (token.issuedAt < known.minIssuedAt) return "void";
    return token.epoch >= known.minEpoch ? "good" : "unsure";
  }
  if (known.isSessionRevoked(token.sessionId)) return "void";
  if (token.epoch >= known.minEpoch) return "good";
  // `iat` is cut to the second: in doubt it was issued since.
  const isIssuedSince =
    known.minEpochSince !== null && (token.issuedAt + 1) * MS_PER_SECOND > known.minEpochSince;
  return isIssuedSince ? "unsure" : "void";
}

const MS_PER_SECOND = 1_000;
