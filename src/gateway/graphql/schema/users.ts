/** Users: the type, its lists, and the changes to it. */
import type { Profile, User } from "../../../services/users";
import { fieldValue, resolveBy } from "../call-context";
import { PAGE_SIZE_DEFAULT } from "../page-size";
import { listPage, listQuery } from "../paging";
import { idOf } from "./arguments";
import { builder, RoleEnum } from "./builder";
import { connectionOf } from "./connections";

const ProfileRef = builder.objectRef<Profile>("Profile").implement({
  fields: (t) => ({
    bio: t.exposeString("bio", { nullable: true }),
    avatarUrl: t.exposeString("avatarUrl", { nullable: true }),
    locale: t.exposeString("locale", { nullable: true, description: "BCP 47." }),
    timezone: t.exposeString("timezone", { nullable: true, description: "IANA." }),
  }),
});

export const UserRef = builder.objectRef<User>("User").implement({
  fields: (t) => ({
    id: t.exposeID("id"),
    name: t.exposeString("name"),
    email: t.exposeString("email"),
    pendingEmail: t.exposeString("pendingEmail", { nullable: true }),
    age: t.exposeInt("age", { nullable: true }),
    role: t.expose("role", { type: RoleEnum }),
    emailVerified: t.exposeBoolean("emailVerified"),
    profile: t.expose("profile", { type: ProfileRef }),
    version: t.exposeInt("version"),
    createdAt: t.expose("createdAt", { type: "DateTime" }),
    updatedAt: t.expose("updatedAt", { type: "DateTime" }),
  }),
});

const UserConnection = connectionOf("User", UserRef);

const UserSortEnum = builder.enumType("UserSort", {
  values: {
    CREATED_AT_ASC: { value: "createdAt" },
    CREATED_AT_DESC: { value: "-createdAt" },
    NAME_ASC: { value: "name" },
    NAME_DESC: { value: "-name" },
  } as const,
});

const UserFilter = builder.inputType("UserFilter", {
  fields: (t) => ({
    email: t.string(),
    name: t.string({ description: "Names that begin with this." }),
    role: t.field({ type: RoleEnum }),
    createdAfter: t.field({ type: "DateTime" }),
    createdBefore: t.field({ type: "DateTime" }),
  }),
});

const ProfileInput = builder.inputType("ProfileInput", {
  fields: (t) => ({ bio: t.string(), avatarUrl: t.string(), locale: t.string(), timezone: t.string() }),
});

const SignUpInput = builder.inputType("SignUpInput", {
  fields: (t) => ({
    name: t.string({ required: true }),
    email: t.string({ required: true }),
    password: t.string(),
    age: t.int(),
    profile: t.field({ type: ProfileInput }),
  }),
});

const UpdateUserInput = builder.inputType("UpdateUserInput", {
  description: "What is absent stays; null clears.",
  fields: (t) => ({
    name: t.string(),
    email: t.string(),
    age: t.int(),
    profile: t.field({ type: ProfileInput }),
    role: t.field({ type: RoleEnum, description: "By administrators only." }),
  }),
});

builder.queryFields((t) => ({
  me: t.field({
    type: UserRef,
    nullable: true,
    description: "The caller; null for a stranger.",
    resolve: async (_root, _args, { call, loaders }) =>
      call.actor.kind === "user" ? fieldValue(await loaders.users.load(call.actor.userId)) : null,
  }),
  user: t.field({
    type: UserRef,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, args, { loaders }) => fieldValue(await loaders.users.load(idOf(args))),
  }),
  users: t.field({
    type: UserConnection,
    description: "All users, for administrators; newest first unless sorted.",
    args: {
      first: t.arg.int({ defaultValue: PAGE_SIZE_DEFAULT }),
      after: t.arg.string(),
      filter: t.arg({ type: UserFilter }),
      sort: t.arg({ type: UserSortEnum }),
    },
    resolve: async (_root, { filter, sort, ...page }, { call }) =>
      await listPage(call, "users.list", listQuery(call, "users.list", page, { ...filter, sort })),
  }),
}));

builder.mutationFields((t) => ({
  signUp: t.field({
    type: UserRef,
    args: { input: t.arg({ type: SignUpInput, required: true }) },
    resolve: async (_root, { input }, context, info) =>
      await resolveBy(context, info, "users.signUp", { input }),
  }),
  updateUser: t.field({
    type: UserRef,
    args: {
      id: t.arg.id({ required: true }),
      input: t.arg({ type: UpdateUserInput, required: true }),
      expectedVersion: t.arg.int(),
    },
    resolve: async (_root, args, context, info) => await resolveBy(context, info, "users.patch", args),
  }),
  deleteUser: t.boolean({
    args: { id: t.arg.id({ required: true }), expectedVersion: t.arg.int() },
    resolve: async (_root, args, context, info) => {
      await resolveBy(context, info, "users.delete", args);
      return true;
    },
  }),
}));
