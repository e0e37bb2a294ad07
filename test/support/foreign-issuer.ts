/** A trusted issuer of a test, and isolates in which its tokens come to the gate. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { admissionOf } from "../../src/gateway/admission";
import type { Outcome } from "../../src/kernel/errors";
import type { KvStore } from "../../src/platform/cache/kv-tier";
import { type Config, configOf } from "../../src/platform/env";
import { userKey } from "../../src/platform/limiter";
import type { ClientLimiter } from "../../src/platform/limiter/client-limiter";
import type { LimiterObject } from "../../src/platform/limiter/limiter";
import type { Scope } from "../../src/platform/scope";
import { Sealer } from "../../src/platform/sealing";
import { Authenticator } from "../../src/services/auth/authenticator";
import { ForeignKeyMemory, ForeignKeys } from "../../src/services/auth/foreign-keys";
import { type ForeignToken, ForeignTokens } from "../../src/services/auth/foreign-tokens";
import { IdentityCache, newIdentityMemory } from "../../src/services/auth/identity-cache";
import { TokenMemory } from "../../src/services/auth/token-memory";
import { wire } from "../../src/wiring";
import { authDependencies } from "./auth-dependencies";
import { newIsolate, realObject } from "./limiter";
import { replaced } from "./replaced";
import { settled, testRequest, testScope } from "./scope";
import { TEST_SECRETS } from "./secrets";

export const ISSUER = "https://login.example.com/";

export interface TestIssuer {
  /** `TRUSTED_ISSUERS` */
  readonly variable: string;
  readonly jwks: unknown;
  /** A token of the subject, issued at that time. */
  token(subject: string, issuedAtMs: number): Promise<string>;
}

export async function newIssuer(): Promise<TestIssuer> {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const entry = { issuer: ISSUER, jwksUrl: `${ISSUER}jwks.json`, audience: "meridian", createUsers: true };
  return {
    variable: JSON.stringify([entry]),
    jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: "k1", use: "sig", alg: "ES256" }] },
    async token(subject, issuedAtMs) {
      const seconds = Math.floor(issuedAtMs / 1000);
      return await new SignJWT({ email: `${subject}@example.com`, email_verified: true, name: "Ada" })
        .setProtectedHeader({ alg: "ES256", kid: "k1" })
        .setIssuer(ISSUER)
        .setAudience("meridian")
        .setSubject(subject)
        .setIssuedAt(seconds)
        .setExpirationTime(seconds + 86_400)
        .sign(privateKey);
    },
  };
}

/** What the gate said, and what that took before the answer. */
export interface Entry {
  /** The role with which the request goes on, or the code of its refusal. */
  readonly as: string;
  readonly userId: string | null;
  readonly d1: number;
  readonly kvReads: number;
}

export interface Surroundings {
  readonly issuer: TestIssuer;
  readonly clock: () => number;
  /** Default: the real namespace, which shows a write at once. */
  readonly kv?: KvStore;
  readonly objectOf?: (name: string) => LimiterObject;
  readonly d1?: D1Database;
}

/** One isolate: what it remembers of tokens, subjects, keys and leases is its own; database, KV and objects are not. */
export class ForeignIsolate {
  readonly #in: Surroundings;
  readonly #config: Config;
  readonly #limiter;
  readonly #tokens = new TokenMemory<Outcome<ForeignToken>>();
  readonly #identities = newIdentityMemory();
  readonly #keys = new ForeignKeyMemory();

  constructor(surroundings: Surroundings) {
    this.#in = surroundings;
    const { clock, issuer, objectOf = realObject } = surroundings;
    this.#config = configOf({ ...env, TRUSTED_ISSUERS: issuer.variable });
    this.#limiter = newIsolate({ clock, objectOf }).limiter;
  }

  /** One request with the token, and what follows it. */
  async enter(token: string): Promise<Entry> {
    const { scope, respond } = testRequest(this.#in.clock);
    const entry = await this.#enter(token, scope);
    const { d1RoundTrips: d1, kvReads } = respond();
    await settled();
    return { ...entry, d1, kvReads };
  }

  async #enter(presented: string, scope: Scope): Promise<Pick<Entry, "as" | "userId">> {
    const authenticator = this.authenticator(scope);
    const verified = await authenticator.verify(presented);
    if (!verified.ok) return { as: verified.refusal.code, userId: null };
    const { auth } = wire(env, this.#config, scope);
    await standAt(verified.value.userId, this.#in.clock);
    const { badToken, token } = await admissionOf({
      services: { limiter: this.#limiter, auth, authenticator },
      config: this.#config,
      credentials: { kind: "verified", presented, token: verified.value },
      address: undefined,
    });
    return { as: badToken?.code ?? token?.role ?? "nobody", userId: token?.userId ?? null };
  }

  authenticator(scope: Scope = testScope(this.#in.clock)): Authenticator {
    const { kv = env.USER_CACHE, issuer, d1 = env.DB } = this.#in;
    const dependencies = authDependencies({ ...env, DB: d1 }, this.#config, scope);
    const identityCache = new IdentityCache({
      ...{ kv, memory: this.#identities, scope },
      ...{ deriver: dependencies.deriver, sealer: new Sealer(TEST_SECRETS.DATA_KEY) },
    });
    const foreign = new ForeignTokens(replaced(dependencies, { identityCache }), {
      ...{ issuers: this.#config.TRUSTED_ISSUERS, memory: this.#tokens },
      keys: new ForeignKeys(this.#keys, async () => issuer.jwks, scope.log),
    });
    return new Authenticator(dependencies.accessTokens, foreign);
  }
}

/** The user's object goes by the test's clock. */
async function standAt(userId: string, clock: () => number): Promise<void> {
  await runInDurableObject(env.CLIENT_LIMITER.getByName(userKey(userId)), (object: ClientLimiter) => {
    object.clock = clock;
  });
}

/** KV as a location shows it that hears of no later write. */
export async function kvAsOfNow(): Promise<KvStore> {
  const { keys } = await env.USER_CACHE.list();
  const texts = new Map<string, string | null>();
  for (const { name } of keys) texts.set(name, await env.USER_CACHE.get(name));
  return { get: async (key) => texts.get(key) ?? null, put: async () => undefined };
}
