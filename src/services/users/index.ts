/** The users service: accounts, profiles and their cache. */
export { type Credential, CredentialRepository, type Snapshot } from "./credentials/repository";
export { userEvents } from "./events";
export { usersService } from "./factory";
export type { Account } from "./model";
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
export type { Contact, UserService } from "./service";
