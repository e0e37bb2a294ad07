/** Sessions: logging in, refreshing, logging out. */
import { logInSchema, refreshSchema, type TokenPair } from "../../../services/auth";
import type { User } from "../../../services/users";
import { readInput } from "../../input";
import { granted } from "../call-context";
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
    resolve: async (_root, args, { call }) => {
      const input = granted(readInput(logInSchema, args.input));
      call.onSecret();
      return granted(await call.services.auth.logIn(input));
    },
  }),
  refreshSession: t.field({
    type: TokenPairRef,
    args: { refreshToken: t.arg.string({ required: true }) },
    resolve: async (_root, args, { call }) => {
      const { refreshToken } = granted(readInput(refreshSchema, args));
      call.onSecret();
      return granted(await call.services.auth.refresh(refreshToken));
    },
  }),
  logOut: t.boolean({
    description: "Ends the caller's own session.",
    resolve: async (_root, _args, { call }) => {
      granted(await call.services.auth.logOut(call.actor));
      return true;
    },
  }),
}));
