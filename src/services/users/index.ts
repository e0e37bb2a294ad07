/** The users service: accounts, profiles and their cache. */
export { type Credential, CredentialRepository, type Snapshot, type Stamp } from "./credentials/repository";
export { type UserEventType, userEventData, userEvents } from "./events";
export { emailKey, type Profile, type User } from "./model";
export type { Passwords } from "./ports";
export { UserRepository } from "./repository";
export {
  emailSchema,
  listUsersSchema,
  nameSchema,
  patchUserSchema,
  profileSchema,
  replaceUserSchema,
  signUpSchema,
  userSchema,
} from "./schemas";
export { type Contact, type UserDependencies, UserService } from "./service";
export { newUserMemory, UserCache, type UserMemory } from "./user-cache";
export type { TokenRevoker } from "./user-updates";
