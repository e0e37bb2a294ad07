/**
 * Tokens of trusted issuers. A subject is known by (issuer, subject) alone: an address in a token never links it to an
 * account that exists, for then whoever can have that address at the issuer would have the account here.
 */
import { type CryptoKey, decodeJwt, type JWTPayload, jwtVerify } from "jose";
import { JOSEError, JWKSNoMatchingKey, JWSInvalid, JWTExpired } from "jose/errors";
import type { Role } from "../../kernel/actor";
import { done, type Outcome, refuse } from "../../kernel/errors";
import type { Statement } from "../../platform/database";
import type { TrustedIssuer } from "../../platform/env";
import type { Mark } from "../../platform/mark";
import { type Credential, emailSchema, nameSchema } from "../users";
import { refuseExpired, refuseToken } from "./access-tokens";
import type { AuthDependencies } from "./auth-dependencies";
import type { ForeignKeys } from "./foreign-keys";
import type { Identity } from "./identity-cache";
import type { TokenMemory } from "./token-memory";

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
/** Whom a token is here is asked of `IdentityCache` again after so long at the latest. */
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

type Dependencies = Pick<
  AuthDependencies,
  "database" | "identities" | "identityCache" | "credentials" | "users" | "scope"
>;

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
   * `unavailable` when the issuer's keys or the database cannot be had. **Cost**: nothing for a remembered token or a
   * new one of a remembered subject; 1 KV read for a subject that this isolate does not know; 1 D1 round trip besides
   * for one that KV does not know either, first sight included (2 for one that may not come in); now and then a fetch
   * of the issuer's keys.
   */
  async verify(issuer: TrustedIssuer, token: string): Promise<Outcome<ForeignToken>> {
    const remembered = this.#options.memory.recall(token, this.#on.scope.clock());
    return remembered ?? (await this.#verifyUnknown(issuer, token, (claims) => this.#find(issuer, claims)));
  }

  /**
   * As `verify`, by the primary whatever is remembered: the lease makes doubtful what is. It is remembered then.
   * **Cost**: 1 D1 round trip (2 for one that may not come in).
   */
  async verifyAnew(issuer: TrustedIssuer, token: string): Promise<Outcome<ForeignToken>> {
    return await this.#verifyUnknown(issuer, token, (claims) => this.#resolve(issuer, claims));
  }

  async #verifyUnknown(
    issuer: TrustedIssuer,
    token: string,
    whose: (claims: Claims) => Promise<Outcome<Identity>>,
  ): Promise<Outcome<ForeignToken>> {
    const claims = await this.#verifySignature(issuer, token);
    if (!claims.ok) return claims;
    const identity = await whose(claims.value);
    const outcome = identity.ok ? done(toToken(issuer, claims.value, identity.value)) : identity;
    // A refusal too: it is found before anybody's budget is charged, so repeating it must not reach the database.
    const rememberedMs = outcome.ok ? REMEMBERED_MS : REFUSAL_REMEMBERED_MS;
    const nowMs = this.#on.scope.clock();
    const expiresAt = Math.min(claims.value.expiresAt, nowMs + rememberedMs);
    this.#options.memory.remember(token, outcome, { nowMs, expiresAt });
    return outcome;
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
      if (error instanceof JWTExpired) return refuseExpired();
      if (error instanceof JOSEError) return refuseToken();
      throw error;
    }
  }

  async #keyFor(issuer: TrustedIssuer, header: { kid?: string; alg?: string }): Promise<CryptoKey> {
    const { kid, alg } = header;
    const isAllowed = issuer.algorithms.some((algorithm) => algorithm === alg);
    if (kid === undefined || alg === undefined || !isAllowed) throw new JWSInvalid("unexpected header");
    const key = await this.#options.keys.find(issuer, kid, alg, this.#on.scope.clock());
    if (key === null) throw new JWKSNoMatchingKey();
    return key;
  }

  /** Whom the subject is here, as far as that is remembered; else as `#resolve`. */
  async #find(issuer: TrustedIssuer, claims: Claims): Promise<Outcome<Identity>> {
    const { identityCache: cache, scope } = this.#on;
    const key = await cache.keyOf(issuer.issuer, claims.subject);
    const known = await cache.recall(key);
    // An older token may be one that was revoked, or of a user who was deleted: what is remembered does not speak of it.
    if (known === null || claims.issuedAt < known.issuedFrom) return await this.#resolve(issuer, claims);
    if (cache.isDue(known)) scope.afterResponse(() => this.#renew(issuer, claims.subject, { key, known }));
    return done(known);
  }

  /** Asks the primary once more, for changes that came by no revocation. Leaves what it cannot confirm to the lease. */
  async #renew(
    issuer: TrustedIssuer,
    subject: string,
    { key, known }: { readonly key: string; readonly known: Identity },
  ): Promise<void> {
    const { identities, identityCache, credentials, database, scope } = this.#on;
    const { issuedFrom } = known;
    const readAtMs = scope.clock();
    const select = credentials.selectById(identities.userOf(issuer.issuer, subject, issuedFrom));
    try {
      const { rows } = await database.read("primary", [select]);
      const owner = credentials.credentialOf(rows[0]);
      if (owner !== null) identityCache.put(key, identityOf(owner, { issuedFrom, readAtMs }));
    } catch (error) {
      scope.log.log("warn", "auth.identity_not_renewed", { error });
    }
  }

  /**
   * Whom the subject is by the primary; at first sight the same round trip makes the user, so that of many who come at
   * once with one subject none is turned away.
   */
  async #resolve(issuer: TrustedIssuer, claims: Claims): Promise<Outcome<Identity>> {
    const { identityCache: cache, scope } = this.#on;
    const readAtMs = scope.clock();
    const owner = await this.#ownerOf(issuer, claims);
    if (owner === null) return await this.#refusalOf(issuer, claims);
    const identity = identityOf(owner, { issuedFrom: claims.issuedAt, readAtMs });
    cache.put(await cache.keyOf(issuer.issuer, claims.subject), identity);
    return done(identity);
  }

  async #ownerOf(issuer: TrustedIssuer, claims: Claims): Promise<Credential | null> {
    const { database, identities, credentials, users } = this.#on;
    const owner = credentials.selectById(identities.userOf(issuer.issuer, claims.subject, claims.issuedAt));
    const admission = this.#admissionOf(issuer, claims);
    if (admission === null) {
      const {
        rows: [rows],
      } = await database.read("primary", [owner]);
      return credentials.credentialOf(rows);
    }
    const { mark, statements } = admission;
    const answer = await database.commit([...statements, owner], { isIdempotent: true });
    const found = credentials.credentialOf(answer.of(owner));
    if (found !== null && found.lastChangeId === mark.changeId) users.settle(mark, answer, found);
    return found;
  }

  /**
   * What makes a user of a subject that nobody knows, as statements without effect on one that is known. Null unless the
   * issuer's entry allows it and the issuer vouches for the address.
   */
  #admissionOf(
    issuer: TrustedIssuer,
    { payload, subject, issuedAt }: Claims,
  ): { readonly mark: Mark; readonly statements: readonly Statement[] } | null {
    const email = emailSchema().safeParse(payload[issuer.claims.email]);
    const isVouchedFor = payload[issuer.claims.emailVerified] === true;
    if (!issuer.createUsers || !email.success || !isVouchedFor) return null;
    const { users, identities, credentials } = this.#on;
    const name = nameSchema().safeParse(payload[issuer.claims.name]);
    const person = { name: name.success ? name.data : NAME_OF_NOBODY, email: email.data };
    const isUnknown = identities.isUnknown(issuer.issuer, subject, issuedAt);
    const { mark, statements } = users.admitForeign(person, isUnknown);
    const identity = { issuer: issuer.issuer, subject, userId: mark.id, createdAt: mark.at };
    const link = identities.insert(identity, credentials.isDoneBy(mark));
    return { mark, statements: [...statements, link] };
  }

  async #refusalOf(issuer: TrustedIssuer, claims: Claims): Promise<Outcome<never>> {
    const { database, identities } = this.#on;
    const {
      rows: [[identity]],
    } = await database.read("primary", [identities.select(issuer.issuer, claims.subject)]);
    const isStranger =
      identity === undefined || (identity.orphanedAt !== null && claims.issuedAt > identity.revokedThrough);
    return isStranger ? refuseStranger() : refuseRevoked();
  }
}

function identityOf(
  { user, tokenEpoch }: Credential,
  read: Pick<Identity, "issuedFrom" | "readAtMs">,
): Identity {
  return { userId: user.id, role: user.role, epoch: tokenEpoch, ...read };
}

function toToken(issuer: TrustedIssuer, claims: Claims, { userId, role, epoch }: Identity): ForeignToken {
  return {
    userId,
    sessionId: null,
    role: mappedRole(issuer, claims.payload) ?? role,
    epoch,
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
