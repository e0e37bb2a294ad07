/** The door of the auth service. */
export { type AccessTokenOptions, AccessTokens, type VerifiedToken } from "./access-tokens";
export { KeySet, type PublicKey } from "./key-set";
export { TokenMemory } from "./token-memory";
