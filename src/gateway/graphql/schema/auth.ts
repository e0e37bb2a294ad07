/** Sessions: logging in, refreshing, logging out. */
import type { TokenPair } from "../../../services/auth";
import type { User } from "../../../services/users";
import { resolveBy } from "../call-context";
import { builder } from "./builder";
import { UserRef } from "./users";

const TokenPairRef = builder.objectRef<TokenPair & { readonly user?: User }>("TokenPair").implement({
  fields: (t) => ({
    accessToken: t.exposeString("accessToken"),
    tokenType: t.exposeString("tokenType"),
    expiresIn: t.exposeInt("expiresIn", { description: "Seconds that the access token lives." }),
    refreshToken: t.exposeString("refreshToken"),
    user: t.field({
      type: UserRef,
      nullable: true,
      description: "Who logged in; null after a refresh.",
      resolve: ({ user }) => user ?? null,
    }),
  }),
});

const LogInInput = builder.inputType("LogInInput", {
  fields: (t) => ({ email: t.string({ required: true }), password: t.string({ required: true }) }),
});

builder.mutationFields((t) => ({
  logIn: t.field({
    type: TokenPairRef,
    args: { input: t.arg({ type: LogInInput, required: true }) },
    resolve: (_root, { input }, context, info) => resolveBy(context, info, "auth.logIn", { input }),
  }),
  refreshSession: t.field({
    type: TokenPairRef,
    args: { refreshToken: t.arg.string({ required: true }) },
    resolve: (_root, input, context, info) => resolveBy(context, info, "auth.refresh", { input }),
  }),
  logOut: t.boolean({
    description: "Ends the caller's own session.",
    resolve: async (_root, _args, context, info) => {
      await resolveBy(context, info, "auth.logOut");
      return true;
    },
  }),
}));
