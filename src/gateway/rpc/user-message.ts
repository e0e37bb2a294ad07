/** Users as messages. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Role } from "../../kernel/actor";
import type { User } from "../../services/users";
import { Role as RoleMessage, type UserSchema } from "./gen/users/v1/user_pb";

const ROLE_MESSAGES: Readonly<Record<Role, RoleMessage>> = {
  user: RoleMessage.USER,
  admin: RoleMessage.ADMIN,
};

export function roleMessage(role: Role): RoleMessage {
  return ROLE_MESSAGES[role];
}

/** Undefined for `ROLE_UNSPECIFIED`; what is no role here goes on to the schema, which refuses it. */
export function roleOf(message: RoleMessage | undefined): string | undefined {
  if (message === undefined || message === RoleMessage.UNSPECIFIED) return undefined;
  return RoleMessage[message]?.toLowerCase() ?? "unknown";
}

export function userMessage({ profile, ...user }: User): MessageInitShape<typeof UserSchema> {
  return {
    id: user.id,
    name: user.name,
    email: user.email,
    ...withoutNull({ pendingEmail: user.pendingEmail, age: user.age }),
    role: roleMessage(user.role),
    emailVerified: user.emailVerified,
    profile: withoutNull(profile),
    version: user.version,
    createdAt: timestampMessage(user.createdAt),
    updatedAt: timestampMessage(user.updatedAt),
  };
}

/** @param timestamp RFC 3339 */
export function timestampMessage(timestamp: string) {
  return timestampFromDate(new Date(timestamp));
}

type WithoutNull<T> = { [K in keyof T]?: NonNullable<T[K]> };

/** What is null in a model is absent in a message. */
export function withoutNull<T extends object>(members: T): WithoutNull<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null)) as WithoutNull<T>;
}
