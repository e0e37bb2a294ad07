/**
 * Tokens of trusted issuers. A subject is known by (issuer, subject) alone: an address in a token never links it to an
 * account that exists, for then whoever can have that address at the issuer would have the account here.
 */
import { type CryptoKey, decodeJwt, errors, type JWTPayload, jwtVerify } from "jose";
import type { Role } from "../../kernel/actor";
import { done, type Outcome, refuse } from "../../kernel/errors";
import type { Statement } from "../../platform/database";
import type { TrustedIssuer } from "../../platform/env";
import { type Credential, emailSchema, nameSchema, type Stamp } from "../users";
import { refuseExpired, refuseToken } from "./access-tokens";
import type { AuthDependencies } from "./auth-dependencies";
import type { ForeignKeys } from "./foreign-keys";
import { TokenMemory } from "./token-memory";

/** A foreign token that was verified, and whom it is here. */
export interface ForeignToken {
  readonly userId: string;
  /** It has no session here. */
  readonly sessionId: null;
  readonly role: Role;
  /** The user's epoch when it was read. */
  readonly epoch: number;
  readonly expiresAt: number;
  readonly issuer: string;
  readonly subject: string;
  /** `iat`, seconds. */
  readonly issuedAt: number;
}

/** No token may live longer: whoever was cut off at its issuer is cut off here within a day. */
const LIFE_MAX_SECONDS = 86_400;
const CLOCK_SKEW_SECONDS = 60;
/** Whom a token is here is read again after so long at the latest. */
const REMEMBERED_MS = 300_000;
/** Who is let in meanwhile, by an address that was freed for instance, waits so long. */
const REFUSAL_REMEMBERED_MS = 30_000;
const TOKEN_LENGTH_MAX = 8_192;
const NAME_OF_NOBODY = "New user";

interface Claims {
  readonly subject: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly payload: JWTPayload;
}

export interface ForeignOptions {
  readonly issuers: readonly TrustedIssuer[];
  readonly keys: ForeignKeys;
  readonly memory: TokenMemory<Outcome<ForeignToken>>;
}

type Dependencies = Pick<AuthDependencies, "database" | "identities" | "credentials" | "users" | "scope">;

export class ForeignTokens {
  readonly #on: Dependencies;
  readonly #options: ForeignOptions;

  constructor(dependencies: Dependencies, options: ForeignOptions) {
    this.#on = dependencies;
    this.#options = options;
  }

  /** The trusted issuer that the token says it is from; null when it is from nobody we know. Nothing is verified yet. */
  issuerOf(token: string): TrustedIssuer | null {
    const { issuers } = this.#options;
    if (issuers.length === 0 || token.length > TOKEN_LENGTH_MAX) return null;
    try {
      const { iss } = decodeJwt(token);
      return issuers.find(({ issuer }) => issuer === iss) ?? null;
    } catch {
      return null;
    }
  }

  /**
   * **Errors**: `unauthenticated`, `token_expired`, `token_revoked`; `forbidden` for a subject that may not come in;
   * `unavailable` when the issuer's keys or the database cannot be had. **Cost**: nothing for a remembered token; else
   * 1 D1 round trip, first sight included (2 for one that may not come in), and now and then a fetch of the issuer's keys.
   */
  async verify(issuer: TrustedIssuer, token: string): Promise<Outcome<ForeignToken>> {
    const { memory } = this.#options;
    const key = TokenMemory.keyOf(token);
    const remembered = memory.recall(key, this.#on.scope.clock());
    if (remembered !== null) return remembered;
    const claims = await this.#verifySignature(issuer, token);
    if (!claims.ok) return claims;
    const outcome = await this.#resolve(issuer, claims.value);
    // A refusal too: it is found before anybody's budget is charged, so repeating it must not reach the database.
    const rememberedMs = outcome.ok ? REMEMBERED_MS : REFUSAL_REMEMBERED_MS;
    memory.remember(key, outcome, Math.min(claims.value.expiresAt, this.#on.scope.clock() + rememberedMs));
    return outcome;
  }

  /** As `verify`, reading whom the token is here anew: its remembered epoch is below the lowest valid one. */
  async verifyAnew(issuer: TrustedIssuer, token: string): Promise<Outcome<ForeignToken>> {
    this.#options.memory.forget(TokenMemory.keyOf(token));
    return await this.verify(issuer, token);
  }

  async #verifySignature(issuer: TrustedIssuer, token: string): Promise<Outcome<Claims>> {
    const nowMs = this.#on.scope.clock();
    try {
      const { payload } = await jwtVerify(token, (header) => this.#keyFor(issuer, header), {
        algorithms: [...issuer.algorithms],
        issuer: issuer.issuer,
        audience: issuer.audience,
        requiredClaims: ["sub", "iat", "exp"],
        currentDate: new Date(nowMs),
      });
      const { sub, iat, exp } = payload;
      if (sub === undefined || sub === "" || sub.length > 500 || iat === undefined || exp === undefined)
        return refuseToken();
      if (iat > nowMs / 1000 + CLOCK_SKEW_SECONDS || exp - iat > LIFE_MAX_SECONDS) return refuseToken();
      return done({ subject: sub, issuedAt: Math.floor(iat), expiresAt: exp * 1000, payload });
    } catch (error) {
      if (error instanceof errors.JWTExpired) return refuseExpired();
      if (error instanceof errors.JOSEError) return refuseToken();
      throw error;
    }
  }

  async #keyFor(issuer: TrustedIssuer, header: { kid?: string; alg?: string }): Promise<CryptoKey> {
    const { kid, alg } = header;
    const isAllowed = issuer.algorithms.some((algorithm) => algorithm === alg);
    if (kid === undefined || alg === undefined || !isAllowed)
      throw new errors.JWSInvalid("unexpected header");
    const key = await this.#options.keys.find(issuer, kid, alg, this.#on.scope.clock());
    if (key === null) throw new errors.JWKSNoMatchingKey();
    return key;
  }

  /**
   * Whom the subject is here; at first sight the same round trip makes the user, so that of many who come at once with
   * one subject none is turned away.
   */
  async #resolve(issuer: TrustedIssuer, claims: Claims): Promise<Outcome<ForeignToken>> {
    const { database, identities, credentials, users } = this.#on;
    const { subject, issuedAt } = claims;
    const owner = credentials.selectById(identities.userOf(issuer.issuer, subject, issuedAt));
    const admission = this.#admissionOf(issuer, claims);
    if (admission === null) {
      const [rows] = await database.read("primary", [owner]);
      return this.#tokenOf(issuer, claims, credentials.read(rows));
    }
    const { stamp, statements } = admission;
    const { value: rows, ...state } = await database.commitReturningStamped(statements, owner, {
      isIdempotent: true,
    });
    const found = credentials.read(rows);
    if (found?.lastEventId === stamp.eventId) users.settle(stamp, { ...state, value: found.user });
    return this.#tokenOf(issuer, claims, found);
  }

  /**
   * What makes a user of a subject that nobody knows, as statements without effect on one that is known. Null unless the
   * issuer's entry allows it and the issuer vouches for the address.
   */
  #admissionOf(
    issuer: TrustedIssuer,
    { payload, subject, issuedAt }: Claims,
  ): { readonly stamp: Stamp; readonly statements: readonly Statement[] } | null {
    const email = emailSchema.safeParse(payload[issuer.claims.email]);
    const isVouchedFor = payload[issuer.claims.emailVerified] === true;
    if (!issuer.createUsers || !email.success || !isVouchedFor) return null;
    const { users, identities, credentials } = this.#on;
    const name = nameSchema.safeParse(payload[issuer.claims.name]);
    const person = { name: name.success ? name.data : NAME_OF_NOBODY, email: email.data };
    const isUnknown = identities.isUnknown(issuer.issuer, subject, issuedAt);
    const { stamp, statements } = users.admitForeign(person, isUnknown);
    const identity = { issuer: issuer.issuer, subject, userId: stamp.id, createdAt: stamp.at };
    const link = identities.insert(identity, credentials.isDoneBy(stamp));
    return { stamp, statements: [...statements, ...link] };
  }

  async #tokenOf(
    issuer: TrustedIssuer,
    claims: Claims,
    owner: Credential | null,
  ): Promise<Outcome<ForeignToken>> {
    if (owner !== null) return done(toToken(issuer, claims, owner));
    const { database, identities } = this.#on;
    const [[identity]] = await database.read("primary", [identities.select(issuer.issuer, claims.subject)]);
    const isStranger =
      identity === undefined || (identity.orphanedAt !== null && claims.issuedAt > identity.revokedThrough);
    return isStranger ? refuseStranger() : refuseRevoked();
  }
}

function toToken(
  issuer: TrustedIssuer,
  claims: Claims,
  { user, tokenEpoch }: Pick<Credential, "user" | "tokenEpoch">,
): ForeignToken {
  return {
    userId: user.id,
    sessionId: null,
    role: mappedRole(issuer, claims.payload) ?? user.role,
    epoch: tokenEpoch,
    expiresAt: claims.expiresAt,
    issuer: issuer.issuer,
    subject: claims.subject,
    issuedAt: claims.issuedAt,
  };
}

/** Null unless the issuer's entry maps roles; then what it does not name is a user. It holds for this token alone. */
function mappedRole({ roles, claims }: TrustedIssuer, payload: JWTPayload): Role | null {
  if (roles === undefined || claims.role === undefined) return null;
  const value = payload[claims.role];
  const values = Array.isArray(value) ? value : [value];
  const mapped = values.map((one) =>
    typeof one === "string" && Object.hasOwn(roles, one) ? roles[one] : undefined,
  );
  return mapped.includes("admin") ? "admin" : "user";
}

function refuseStranger(): Outcome<never> {
  return refuse("forbidden", "This identity has no account here, and none can be made for it.");
}

function refuseRevoked(): Outcome<never> {
  return refuse("token_revoked", "This token was revoked. Log in again at its issuer.");
}
