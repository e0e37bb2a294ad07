/** Builds the services of authentication, and what they share, out of what they are given. */
import type { Outcome } from "../../kernel/errors";
import { lazily } from "../../kernel/lazily";
import type { KvStore } from "../../platform/cache/kv-tier";
import type { ChangeTools } from "../../platform/change-plan";
import type { Deriver } from "../../platform/deriver";
import type { Config } from "../../platform/env";
import { fetchJson } from "../../platform/fetch-json";
import { kept, keptFor } from "../../platform/isolate";
import { exactBudgetsOf, type Limiter, type LimiterBindings, userKey } from "../../platform/limiter";
import type { PasswordHasher } from "../../platform/password-hasher";
import type { Sealer } from "../../platform/sealing";
import { CredentialRepository, type UserService } from "../users";
import { AccessTokens, type VerifiedToken } from "./access-tokens";
import { AddressProof } from "./address-proof";
import { AuthAttempts } from "./auth-attempts";
import type { AuthDependencies } from "./auth-dependencies";
import { Authenticator } from "./authenticator";
import type { AuthBudgets } from "./budgets";
import { ForeignKeyMemory, ForeignKeys } from "./foreign-keys";
import { type ForeignToken, ForeignTokens } from "./foreign-tokens";
import { IdentityCache, newIdentityMemory } from "./identity-cache";
import { IdentityRepository } from "./identity-repository";
import { KeySet } from "./key-set";
import { AccountMails } from "./mails";
import { OneTimeTokenRepository } from "./one-time-token-repository";
import { RecoveryService } from "./recovery";
import { AuthService } from "./service";
import { SessionRepository } from "./session-repository";
import { TokenMemory } from "./token-memory";

export interface AuthFoundation extends ChangeTools {
  readonly env: LimiterBindings & { readonly USER_CACHE: KvStore };
  readonly config: Config;
  readonly budgets: AuthBudgets;
  readonly limiter: Pick<Limiter, "revoke">;
  readonly deriver: Deriver;
  readonly sealer: Sealer;
  readonly hasher: PasswordHasher;
  readonly users: UserService;
}

export interface AuthServices extends AuthDependencies {
  readonly auth: AuthService;
  readonly recovery: RecoveryService;
  readonly addressProof: AddressProof;
  readonly mails: AccountMails;
  readonly authenticator: Authenticator;
  readonly keySet: KeySet;
}

const tokenMemory = kept(() => new TokenMemory<VerifiedToken>());
const foreignTokens = kept(() => new TokenMemory<Outcome<ForeignToken>>());
const identityMemory = kept(newIdentityMemory);
const foreignKeys = kept(() => new ForeignKeyMemory());
const keySetOf = keptFor((config: Config) => new KeySet(config.JWT_SIGNING_KEYS.keys));

/** Returns the services of authentication. Each of them is made when it is first used. */
export const authServices = lazily<{ on: AuthFoundation }, AuthServices>({
  database: ({ on }) => on.database,
  outbox: ({ on }) => on.outbox,
  audit: ({ on }) => on.audit,
  scope: ({ on }) => on.scope,
  users: ({ on }) => on.users,
  hasher: ({ on }) => on.hasher,
  deriver: ({ on }) => on.deriver,
  sessions: ({ database }) => new SessionRepository(database),
  oneTimeTokens: ({ database }) => new OneTimeTokenRepository(database),
  identities: ({ database }) => new IdentityRepository(database),
  credentials: ({ database }) => new CredentialRepository(database),
  identityCache: ({ on: { env, sealer }, deriver, scope }) =>
    new IdentityCache({ kv: env.USER_CACHE, memory: identityMemory(), deriver, sealer, scope }),
  attempts: ({ on: { env, budgets }, deriver, scope }) =>
    new AuthAttempts(exactBudgetsOf(env, budgets, scope), deriver, scope),
  revoker: ({ on }) => ({
    revoke: (userId, revocations) => on.limiter.revoke(userKey(userId), revocations),
  }),
  accessTokens: ({ on: { config }, keySet, scope }) =>
    new AccessTokens({
      keys: keySet,
      issuer: config.JWT_ISSUER,
      audience: config.JWT_AUDIENCE,
      ttlSeconds: config.ACCESS_TOKEN_TTL_SECONDS,
      clock: scope.clock,
      memory: tokenMemory(),
    }),
  keySet: ({ on }) => keySetOf(on.config),
  sessionTtlSeconds: ({ on }) => on.config.SESSION_TTL_SECONDS,
  sleep: () => (ms) => scheduler.wait(ms),
  auth: (on) => new AuthService(on),
  recovery: (on) => new RecoveryService(on),
  addressProof: (on) => new AddressProof(on),
  mails: (on) => new AccountMails(on),
  authenticator: (made) =>
    new Authenticator(
      made.accessTokens,
      new ForeignTokens(made, {
        issuers: made.on.config.TRUSTED_ISSUERS,
        keys: new ForeignKeys(foreignKeys(), fetchJson, made.scope.log),
        memory: foreignTokens(),
      }),
    ),
});
