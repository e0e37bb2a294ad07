/** The auth service as other Workers call it. */
import { type Outcome, refuse } from "../../kernel/errors";
import {
  type BearerToken,
  type LogIn,
  logInSchema,
  refreshSchema,
  type TokenPair,
} from "../../services/auth";
import { readInput } from "../input";
import { verifyPresented } from "../presented-token";
import type { BindingCall } from "./binding-call";

/** Longer ones are none of ours. */
const TOKEN_LENGTH_MAX = 4_096;

export const authBinding = {
  async logIn(call: BindingCall, given: unknown): Promise<Outcome<LogIn>> {
    const input = readInput(logInSchema, given);
    return input.ok ? await call.services.auth.logIn(input.value) : input;
  },

  async refreshSession(call: BindingCall, refreshToken: string): Promise<Outcome<TokenPair>> {
    const input = readInput(refreshSchema, { refreshToken });
    return input.ok ? await call.services.auth.refresh(input.value.refreshToken) : input;
  },

  /**
   * Whose an access token is, if it is good at this moment.
   * **Errors**: `unauthenticated`, `token_expired`, `token_revoked`. **Cost**: as `verifyPresented`.
   */
  async verifyToken({ services }: BindingCall, presented: string): Promise<Outcome<BearerToken>> {
    if (typeof presented !== "string" || presented.length > TOKEN_LENGTH_MAX)
      return refuse("unauthenticated", "The access token is not valid.");
    return await verifyPresented(services, presented);
  },
};
