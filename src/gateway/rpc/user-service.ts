/** `users.v1.UserService`: translate in, call one use case, translate out. */
import type { MessageShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { present } from "../input";
import type { Profile } from "./gen/users/v1/user_pb";
import { type UpdateUserRequestSchema, type UserService, UserSort } from "./gen/users/v1/user_service_pb";
import { instant, pageQuery } from "./page-request";
import { answerBy } from "./rpc-call";
import { roleOf, userMessage } from "./user-message";

const SORTS: Readonly<Record<UserSort, string | undefined>> = {
  [UserSort.UNSPECIFIED]: undefined,
  [UserSort.CREATED_AT_ASC]: "createdAt",
  [UserSort.CREATED_AT_DESC]: "-createdAt",
  [UserSort.NAME_ASC]: "name",
  [UserSort.NAME_DESC]: "-name",
};

export const userService: ServiceImpl<typeof UserService> = {
  async getUser({ id }, context) {
    return { user: userMessage(await answerBy(context, "users.get", { id })) };
  },

  async createUser({ name, email, password, age, profile }, context) {
    const input = present({ name, email, password, age, profile: profile && profileOf(profile) });
    return { user: userMessage(await answerBy(context, "users.signUp", { input })) };
  },

  async updateUser(request, context) {
    const { id, expectedVersion } = request;
    const user = await answerBy(context, "users.patch", { id, expectedVersion, input: patchOf(request) });
    return { user: userMessage(user) };
  },

  async deleteUser({ id, expectedVersion }, context) {
    await answerBy(context, "users.delete", { id, expectedVersion });
    return {};
  },

  async listUsers({ email, name, role, sort, createdAfter, createdBefore, ...page }, context) {
    const input = pageQuery(page, {
      ...{ email, name, role: roleOf(role), sort: SORTS[sort] ?? sortUnknown(sort) },
      ...{ createdAfter: instant(createdAfter), createdBefore: instant(createdBefore) },
    });
    const { data, nextCursor } = await answerBy(context, "users.list", { input });
    return { users: data.map(userMessage), nextPageToken: nextCursor ?? "" };
  },
};

/** A number that the schema does not know goes on, and is refused there. */
function sortUnknown(sort: UserSort): string | undefined {
  return sort === UserSort.UNSPECIFIED ? undefined : "unknown";
}

function profileOf({ bio, avatarUrl, locale, timezone }: Profile) {
  return present({ bio, avatarUrl, locale, timezone });
}

/** A merge patch: what is present, and null for what only the mask names. Masked out is as good as absent. */
function patchOf(request: MessageShape<typeof UpdateUserRequestSchema>): Record<string, unknown> {
  const { name, email, age, role, profile } = request;
  const given = present({ name, email, age, role: roleOf(role), profile: profile && profileOf(profile) });
  const paths = request.updateMask?.paths ?? [];
  return paths.length === 0 ? given : masked(given, paths);
}

function masked(given: Readonly<Record<string, unknown>>, paths: readonly string[]): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  for (const path of paths.slice(0, MASK_PATHS_MAX)) {
    const [field = "", member] = path.split(".");
    if (member === undefined) patch[field] = given[field] ?? null;
    else
      patch[field] = {
        ...asMembers(patch[field]),
        [camelCase(member)]: asMembers(given[field])[camelCase(member)] ?? null,
      };
  }
  return patch;
}

/** More than there are fields. What else is named is unknown to the schema, which refuses it. */
const MASK_PATHS_MAX = 20;

function asMembers(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** Masks name fields as the proto does: `avatar_url`. */
function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
