/** The users service: accounts, profiles and their cache. */
export { type Credential, CredentialRepository, type Snapshot } from "./credentials/repository";
export { type UserEventType, userEvents } from "./events";
export type { Account } from "./model";
export type { Passwords } from "./ports";
export { UserRepository } from "./repository";
export {
  emailSchema,
  listUsersSchema,
  nameSchema,
  type Profile,
  patchUserSchema,
  profileSchema,
  replaceUserSchema,
  signUpSchema,
  type User,
  userEventData,
  userSchema,
} from "./schemas";
export { type Contact, type TokenRevoker, type UserDependencies, UserService } from "./service";
export { newUserMemory, UserCache, type UserMemory } from "./user-cache";
