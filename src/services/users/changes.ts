/** Input as what is written: pure. */
import type { Actor } from "../../kernel/actor";
import { toTimestamp } from "../../kernel/clock";
import { isPermitted } from "../../kernel/permissions";
import { type ChangeContext, EMPTY_PROFILE, type User, type UserChanges } from "./model";
import type { PatchUserInput, ReplaceUserInput, SignUpInput } from "./schemas";

/** The user that a sign-up makes. */
export function newUser(context: ChangeContext, input: SignUpInput): User {
  const at = toTimestamp(context.at);
  return {
    id: context.id,
    name: input.name,
    email: input.email,
    pendingEmail: null,
    age: input.age ?? null,
    role: "user",
    emailVerified: false,
    profile: { ...EMPTY_PROFILE, ...withoutUndefined(input.profile ?? {}) },
    version: 1,
    createdAt: at,
    updatedAt: at,
  };
}

/** PUT as a patch: what is absent is cleared, but for the role. */
export function patchOf(input: ReplaceUserInput): PatchUserInput {
  const profile = { ...EMPTY_PROFILE, ...withoutUndefined(input.profile ?? {}) };
  return { ...input, age: input.age ?? null, profile };
}

/** What a patch changes when this actor sends it: an owner's new address waits for its confirmation. */
export function changesOf(actor: Actor, patch: PatchUserInput): UserChanges {
  return {
    ...(patch.name === undefined ? {} : { name: patch.name }),
    ...(patch.age === undefined ? {} : { age: patch.age }),
    ...(patch.role === undefined ? {} : { role: patch.role }),
    ...(patch.profile === undefined ? {} : { profile: profileChanges(patch.profile) }),
    ...(patch.email === undefined
      ? {}
      : {
          email: {
            address: patch.email,
            mode: isPermitted(actor, "user.set_email") ? ("immediate" as const) : ("pending" as const),
          },
        }),
  };
}

/** `profile: null` clears it; a member that is absent stays. */
function profileChanges(
  profile: NonNullable<PatchUserInput["profile"]> | null,
): NonNullable<UserChanges["profile"]> {
  return profile === null ? EMPTY_PROFILE : withoutUndefined(profile);
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Defined<T>;
}
