/** The auth service: sessions, passwords, tokens and mailed links. */
export type { AccessTokens } from "./access-tokens";
export type { AddressProof } from "./address-proof";
export { type Authenticator, type BearerToken, judgeToken } from "./authenticator";
export { type AuthBudgets, authBudgetsOf } from "./budgets";
export { authEvents } from "./events";
export { type AuthServices, authServices } from "./factory";
export type { KeySet } from "./key-set";
export type { AccountMails, Recipient } from "./mails";
export type { RecoveryService } from "./recovery";
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
  sessionSchema,
  type TokenPair,
  tokenPairSchema,
  verifyEmailSchema,
} from "./schemas";
export type { AuthService } from "./service";
