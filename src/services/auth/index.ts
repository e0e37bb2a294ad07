/** The door of the auth service. */
export { AccessTokens, type VerifiedToken } from "./access-tokens";
export { AddressProof } from "./address-proof";
export { AuthAttempts as Attempts } from "./auth-attempts";
export type { AuthDependencies } from "./auth-dependencies";
export { Authenticator, type BearerToken, judgeToken } from "./authenticator";
export { type AuthBudgetName, type AuthBudgets, authBudgetsOf } from "./budgets";
export { authEvents } from "./events";
export { ForeignKeyMemory, ForeignKeys } from "./foreign-keys";
export { type ForeignToken, ForeignTokens } from "./foreign-tokens";
export { IdentityCache, newIdentityMemory } from "./identity-cache";
export { IdentityRepository } from "./identity-repository";
export { KeySet, type PublicKey } from "./key-set";
export { AccountMails, type Recipient } from "./mails";
export { OneTimeTokenRepository } from "./one-time-token-repository";
export { RecoveryService } from "./recovery";
export {
  authEventData,
  changePasswordSchema,
  forgotPasswordSchema,
  type LogIn,
  logInAnswerSchema,
  logInSchema,
  publicKeySchema,
  refreshSchema,
  resetPasswordSchema,
  type Session,
  sessionSchema,
  type TokenPair,
  tokenPairSchema,
  verifyEmailSchema,
} from "./schemas";
export { AuthService } from "./service";
export { SessionRepository } from "./session-repository";
export { TokenMemory } from "./token-memory";
