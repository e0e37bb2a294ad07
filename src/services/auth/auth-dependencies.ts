/** What the services of authentication stand on, and what each of them begins with. */
import type { Actor } from "../../kernel/actor";
import { done, type Outcome, refuse } from "../../kernel/errors";
import type { AuditTrail } from "../../platform/audit";
import type { Database } from "../../platform/database";
import type { Deriver } from "../../platform/deriver";
import type { NewRevocations } from "../../platform/limiter";
import type { Outbox } from "../../platform/outbox";
import type { PasswordHasher } from "../../platform/password-hasher";
import type { Scope } from "../../platform/scope";
import type { CredentialRepository, UserService } from "../users";
import type { AccessTokens } from "./access-tokens";
import type { AuthAttempts } from "./auth-attempts";
import type { IdentityCache } from "./identity-cache";
import type { IdentityRepository } from "./identity-repository";
import type { OneTimeTokenRepository } from "./one-time-token-repository";
import type { SessionRepository } from "./session-repository";

/** Ends tokens everywhere within 60 seconds. **Errors**: `unavailable`. */
export interface SessionRevoker {
  revoke(userId: string, revocations: NewRevocations): Promise<void>;
}

export interface AuthDependencies {
  readonly database: Database;
  readonly sessions: SessionRepository;
  readonly oneTimeTokens: OneTimeTokenRepository;
  readonly identities: IdentityRepository;
  readonly identityCache: IdentityCache;
  readonly credentials: CredentialRepository;
  readonly users: UserService;
  readonly outbox: Outbox;
  readonly audit: AuditTrail;
  readonly attempts: AuthAttempts;
  readonly revoker: SessionRevoker;
  readonly hasher: PasswordHasher;
  readonly accessTokens: AccessTokens;
  readonly deriver: Deriver;
  /** `SESSION_TTL_SECONDS` */
  readonly sessionTtlSeconds: number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly scope: Scope;
}

type UserActor = Extract<Actor, { kind: "user" }>;

/** The caller as a user with sessions of its own. */
export function requireUser(actor: Actor): Outcome<UserActor> {
  return actor.kind === "user" ? done(actor) : refuse("unauthenticated", "This call needs an access token.");
}
