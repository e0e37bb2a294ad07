/** What a user will be after a change: the same rules as the repository's UPDATE, for who must know before it runs. */
import { toTimestamp } from "../../kernel/clock";
import { emailKey, type User, type UserChanges } from "./model";

/** @param at milliseconds since the epoch */
export function changedUser(user: User, changes: UserChanges, at: number): User {
  const { name, age, role, profile, email } = changes;
  return {
    ...user,
    name: name ?? user.name,
    ...(email === undefined ? {} : changedEmail(user, email)),
    age: age === undefined ? user.age : age,
    role: role ?? user.role,
    profile: { ...user.profile, ...profile },
    version: user.version + 1,
    updatedAt: toTimestamp(at),
  };
}

/** Writing the same address again, in another case perhaps, is no change of address. */
function changedEmail(user: User, { address, mode }: NonNullable<UserChanges["email"]>): Partial<User> {
  const isSame = emailKey(user.email) === emailKey(address);
  if (mode === "pending") return isSame ? { email: address, pendingEmail: null } : { pendingEmail: address };
  return { email: address, pendingEmail: null, emailVerified: isSame && user.emailVerified };
}
