/** The auth service as other Workers call it. */
import type { Outcome } from "../../kernel/errors";
import type { BearerToken, LogIn, TokenPair } from "../../services/auth";
import { type BindingCall, performFor } from "./binding-call";

export const authBinding = {
  async logIn(call: BindingCall, input: unknown): Promise<Outcome<LogIn>> {
    return await performFor(call, "auth.logIn", { input });
  },

  async refreshSession(call: BindingCall, refreshToken: string): Promise<Outcome<TokenPair>> {
    return await performFor(call, "auth.refresh", { input: { refreshToken } });
  },

  /**
   * Returns whose an access token is, if it is good at this moment.
   * **Errors**: `unauthenticated`, `token_expired`, `token_revoked`. **Cost**: as `verifyPresented`.
   */
  async verifyToken(call: BindingCall, presented: string): Promise<Outcome<BearerToken>> {
    return await performFor(call, "auth.verifyToken", { input: presented });
  },
};
