/** What a user will be after a change: the rules of sign-up, PUT and PATCH. Pure. */
import type { Actor } from "../../kernel/actor";
import { toTimestamp } from "../../kernel/clock";
import { emailKey } from "../../kernel/email-key";
import { isPermitted } from "../../kernel/permissions";
import { EMPTY_PROFILE } from "./model";
import type { PatchUserInput, ReplaceUserInput, SignUpInput, User } from "./schemas";

/** The user that a sign-up makes. @param at epoch milliseconds */
export function newUser(id: string, input: SignUpInput, at: number): User {
  const createdAt = toTimestamp(at);
  return {
    id,
    name: input.name,
    email: input.email,
    pendingEmail: null,
    age: input.age ?? null,
    role: "user",
    emailVerified: false,
    profile: { ...EMPTY_PROFILE, ...withoutUndefined(input.profile ?? {}) },
    version: 1,
    createdAt,
    updatedAt: createdAt,
  };
}

/** PUT as a patch: what is absent is cleared, except the role. */
export function patchOf(input: ReplaceUserInput): PatchUserInput {
  const profile = { ...EMPTY_PROFILE, ...withoutUndefined(input.profile ?? {}) };
  return { ...input, age: input.age ?? null, profile };
}

/**
 * The user after a patch. An absent member stays; `profile: null` clears the profile. An address that an administrator sets
 * counts at once and is not verified; an owner's new address waits in `pendingEmail` until it is confirmed.
 *
 * @param at epoch milliseconds
 */
export function patchedUser(actor: Actor, user: User, patch: PatchUserInput, at: number): User {
  const { name, email, age, role, profile } = patch;
  return {
    ...user,
    name: name ?? user.name,
    ...(email === undefined ? {} : newAddress(actor, user, email)),
    age: age === undefined ? user.age : age,
    role: role ?? user.role,
    profile: profile === null ? EMPTY_PROFILE : { ...user.profile, ...withoutUndefined(profile ?? {}) },
    version: user.version + 1,
    updatedAt: toTimestamp(at),
  };
}

/** The same address again, perhaps in another case, is no change of address: it stays as verified as it was. */
function newAddress(actor: Actor, user: User, email: string): Partial<User> {
  const isSame = emailKey(user.email) === emailKey(email);
  if (isPermitted(actor, "user.set_email"))
    return { email, pendingEmail: null, emailVerified: isSame && user.emailVerified };
  return isSame ? { email, pendingEmail: null } : { pendingEmail: email };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Defined<T>;
}
