/**
 * Access tokens: short-lived JWTs that say who calls, with which role, in which session. Everything that could be
 * chosen by the token is pinned here instead: algorithm, type, issuer, audience, and the key, which is looked up by
 * `kid` in a fixed set.
 * Source: RFC 9068 (`at+jwt`), RFC 8725 (JWT best current practices).
 */
import { type CryptoKey, type JWSHeaderParameters, jwtVerify, SignJWT } from "jose";
import { JOSEError, JWKSNoMatchingKey, JWSInvalid, JWTExpired } from "jose/errors";
import { ROLES, type Role } from "../../kernel/actor";
import type { Clock } from "../../kernel/clock";
import { done, type Outcome, refuse } from "../../kernel/errors";
import { onFirstCall } from "../../kernel/on-first-call";
import * as z from "../../kernel/schema";
import { type KeySet, SIGNING_ALGORITHM } from "./key-set";
import type { TokenMemory } from "./token-memory";

export const ACCESS_TOKEN_TYPE = "at+jwt";

/** What a token that was signed here, and is still in time, says. Whether it was revoked is another question. */
export interface VerifiedToken {
  readonly userId: string;
  readonly sessionId: string;
  readonly role: Role;
  /** Void as soon as the user's lowest valid epoch is higher. */
  readonly epoch: number;
  /** `iat`, seconds. */
  readonly issuedAt: number;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

export interface AccessTokenOptions {
  readonly keys: KeySet;
  readonly issuer: string;
  readonly audience: string;
  readonly ttlSeconds: number;
  readonly clock: Clock;
  readonly memory: TokenMemory<VerifiedToken>;
}

export interface AccessTokenSubject {
  readonly tokenId: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly role: Role;
  readonly epoch: number;
  /** Epoch milliseconds; the token ends with the session at the latest. */
  readonly sessionExpiresAt: number;
}

/** Ours have about 600 characters. What is longer is not worth decoding. */
const TOKEN_LENGTH_MAX = 4_096;
/** How far another machine's clock may be ahead of ours. */
const CLOCK_SKEW_SECONDS = 60;
/** The ceiling of `ACCESS_TOKEN_TTL_SECONDS`: revocations are kept this long, so no token may live longer. */
export const ACCESS_TOKEN_TTL_MAX_SECONDS = 86_400;
/** The only header members we write. Another one (`jwk`, `jku`, `x5c`, `crit`, ...) wants to steer verification. */
const HEADER_MEMBERS = new Set(["alg", "typ", "kid"]);

const claimsSchema = onFirstCall(() =>
  z.object({
    sub: z.uuid(),
    sid: z.uuid(),
    role: z.enum(ROLES),
    epoch: z.int().check(z.minimum(1)),
    jti: z.string().check(z.minLength(1), z.maxLength(100)),
    iat: z.int(),
    exp: z.int(),
  }),
);

export class AccessTokens {
  readonly #options: AccessTokenOptions;

  constructor(options: AccessTokenOptions) {
    this.#options = options;
  }

  /** How long one lives that is issued now. */
  get lifeMs(): number {
    return this.#options.ttlSeconds * 1000;
  }

  /** A signed token, and the whole seconds it lives. */
  async issue(subject: AccessTokenSubject): Promise<{ readonly token: string; readonly expiresIn: number }> {
    const { keys, issuer, audience, ttlSeconds, clock } = this.#options;
    const issuedAt = Math.floor(clock() / 1000);
    const expiresAt = Math.min(issuedAt + ttlSeconds, Math.floor(subject.sessionExpiresAt / 1000));
    const { kid, key } = await keys.signer();
    const token = await new SignJWT({ sid: subject.sessionId, role: subject.role, epoch: subject.epoch })
      .setProtectedHeader({ alg: SIGNING_ALGORITHM, typ: ACCESS_TOKEN_TYPE, kid })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(subject.userId)
      .setJti(subject.tokenId)
      .setIssuedAt(issuedAt)
      .setExpirationTime(expiresAt)
      .sign(key);
    return { token, expiresIn: expiresAt - issuedAt };
  }

  /**
   * **Errors**: `token_expired` for one of ours that is past its time; `unauthenticated` for anything else that is not
   * valid, without saying why. **Cost**: the first time a signature check.
   */
  async verify(token: string): Promise<Outcome<VerifiedToken>> {
    if (token.length > TOKEN_LENGTH_MAX) return refuseToken();
    const { memory, clock } = this.#options;
    const remembered = memory.recall(token, clock());
    if (remembered !== null) return done(remembered);
    const outcome = await this.#verifySignature(token);
    if (outcome.ok) {
      const { expiresAt } = outcome.value;
      memory.remember(token, outcome.value, { nowMs: clock(), expiresAt });
    }
    return outcome;
  }

  async #verifySignature(token: string): Promise<Outcome<VerifiedToken>> {
    const { issuer, audience, clock } = this.#options;
    try {
      const { payload } = await jwtVerify(token, (header) => this.#keyFor(header), {
        algorithms: [SIGNING_ALGORITHM],
        typ: ACCESS_TOKEN_TYPE,
        issuer,
        audience,
        requiredClaims: ["iss", "aud", "sub", "sid", "role", "epoch", "jti", "iat", "exp"],
        currentDate: new Date(clock()),
      });
      return this.#readClaims(payload);
    } catch (error) {
      if (error instanceof JWTExpired) return refuseExpired();
      if (error instanceof JOSEError) return refuseToken();
      throw error;
    }
  }

  async #keyFor(header: JWSHeaderParameters | undefined): Promise<CryptoKey> {
    const members = Object.keys(header ?? {});
    const kid = header?.kid;
    if (typeof kid !== "string" || members.some((member) => !HEADER_MEMBERS.has(member))) {
      throw new JWSInvalid("unexpected header");
    }
    const key = await this.#options.keys.verifier(kid);
    if (key === null) throw new JWKSNoMatchingKey();
    return key;
  }

  #readClaims(payload: unknown): Outcome<VerifiedToken> {
    const claims = claimsSchema().safeParse(payload);
    if (!claims.success) return refuseToken();
    const { sub, sid, role, epoch, iat, exp } = claims.data;
    const isFromFuture = iat > this.#options.clock() / 1000 + CLOCK_SKEW_SECONDS;
    if (isFromFuture || exp - iat > ACCESS_TOKEN_TTL_MAX_SECONDS) return refuseToken();
    return done({ userId: sub, sessionId: sid, role, epoch, issuedAt: iat, expiresAt: exp * 1000 });
  }
}

export function refuseToken(): Outcome<never> {
  return refuse("unauthenticated", "The access token is not valid.");
}

export function refuseExpired(): Outcome<never> {
  return refuse("token_expired", "The access token has expired.");
}
