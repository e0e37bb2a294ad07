/** Builds the users service out of what it is given. */
import { lazily } from "../../kernel/lazily";
import { passwordViolations } from "../../kernel/password-policy";
import type { KvStore } from "../../platform/cache/kv-tier";
import type { ChangeTools } from "../../platform/change-plan";
import type { Config } from "../../platform/env";
import { kept } from "../../platform/isolate";
import type { Keyset } from "../../platform/keyset";
import { type Limiter, userKey } from "../../platform/limiter";
import type { PasswordHasher } from "../../platform/password-hasher";
import { UserRepository } from "./repository";
import { type UserDependencies, UserService } from "./service";
import type { SignUpDependencies } from "./sign-up";
import { newUserMemory, UserCache } from "./user-cache";

export interface UsersFoundation extends ChangeTools, Pick<SignUpDependencies, "signUps"> {
  readonly env: { readonly USER_CACHE: KvStore };
  readonly config: Pick<Config, "USER_CACHE_TTL_SECONDS">;
  readonly keyset: Keyset;
  readonly limiter: Pick<Limiter, "revoke">;
  readonly hasher: Pick<PasswordHasher, "hash">;
}

const userMemory = kept(() => newUserMemory());

const dependenciesOf = lazily<{ on: UsersFoundation }, UserDependencies>({
  database: ({ on }) => on.database,
  outbox: ({ on }) => on.outbox,
  audit: ({ on }) => on.audit,
  scope: ({ on }) => on.scope,
  keyset: ({ on }) => on.keyset,
  signUps: ({ on }) => on.signUps,
  repository: ({ database }) => new UserRepository(database),
  cache: ({ on: { env, config }, scope }) =>
    new UserCache({
      kv: env.USER_CACHE,
      memory: userMemory(),
      ttlSeconds: config.USER_CACHE_TTL_SECONDS,
      scope,
    }),
  passwords: ({ on }) => ({
    violationsOf: (password, person) => passwordViolations(password, person, "#/password"),
    hash: (password) => on.hasher.hash(password),
  }),
  revoker: ({ on }) => ({
    revokeBelow: (userId, minEpoch) => on.limiter.revoke(userKey(userId), { minEpoch }),
  }),
});

/** Returns the users service. Each of its parts is made when it is first used. */
export function usersService(on: UsersFoundation): UserService {
  return new UserService(dependenciesOf({ on }));
}
