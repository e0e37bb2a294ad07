/** Users: the type, its lists, and the changes to it. */
import { expectVersion } from "../../../kernel/entity-tag";
import {
  listUsersSchema,
  type Profile,
  patchUserSchema,
  signUpSchema,
  type User,
} from "../../../services/users";
import { readInput } from "../../input";
import { granted, mutate } from "../call-context";
import { PAGE_SIZE_DEFAULT } from "../page-size";
import { listQuery, pageOf } from "../paging";
import { idOf, placeOf, targetOf } from "./arguments";
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
      call.actor.kind === "user" ? granted(await loaders.users.load(call.actor.userId)) : null,
  }),
  user: t.field({
    type: UserRef,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, args, { loaders }) => granted(await loaders.users.load(idOf(args))),
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
    resolve: async (_root, { filter, sort, ...page }, { call }) => {
      const query = listQuery(listUsersSchema, page, { ...filter, sort });
      const { users } = call.services;
      return {
        page: pageOf(await users.list(call.actor, query)),
        hasPreviousPage: query.cursor !== undefined,
        cursorOf: (user: User) => users.cursorOf(call.actor, query, user),
      };
    },
  }),
}));

builder.mutationFields((t) => ({
  signUp: t.field({
    type: UserRef,
    args: { input: t.arg({ type: SignUpInput, required: true }) },
    resolve: async (_root, args, context, info) => {
      const input = granted(readInput(signUpSchema, args.input));
      return await mutate<User>(context, { ...placeOf(info), input }, (attempt) =>
        context.call.services.users.signUp(input, attempt),
      );
    },
  }),
  updateUser: t.field({
    type: UserRef,
    args: {
      id: t.arg.id({ required: true }),
      input: t.arg({ type: UpdateUserInput, required: true }),
      expectedVersion: t.arg.int(),
    },
    resolve: async (_root, args, context, info) => {
      const { id, version } = targetOf(args);
      const patch = granted(readInput(patchUserSchema, { ...args.input }));
      const { users } = context.call.services;
      return await mutate<User>(context, { ...placeOf(info), input: { id, version, patch } }, (attempt) =>
        users.patch(context.call.actor, id, patch, expectVersion(version), attempt),
      );
    },
  }),
  deleteUser: t.boolean({
    args: { id: t.arg.id({ required: true }), expectedVersion: t.arg.int() },
    resolve: async (_root, args, context, info) => {
      const { id, version } = targetOf(args);
      const { users } = context.call.services;
      await mutate<null>(context, { ...placeOf(info), input: { id, version } }, (attempt) =>
        users.delete(context.call.actor, id, expectVersion(version), attempt),
      );
      return true;
    },
  }),
}));
