/** `auth.v1.AuthService`: translate in, call one use case, translate out. */
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { done, type Outcome, refuse } from "../../kernel/errors";
import { type BearerToken, logInSchema, refreshSchema } from "../../services/auth";
import { present, readInput } from "../input";
import { verifyPresented } from "../presented-token";
import type { Credentials } from "../request-context";
import type { AuthService } from "./gen/auth/v1/auth_service_pb";
import { callOf, granted } from "./rpc-call";
import { roleMessage, userMessage, withoutNull } from "./user-message";

export const authService: ServiceImpl<typeof AuthService> = {
  async logIn({ email, password }, context) {
    const call = callOf(context);
    const input = granted(readInput(logInSchema, present({ email, password })), call);
    call.onSecret();
    const { user, ...pair } = granted(await call.services.auth.logIn(input), call);
    return { ...pair, user: userMessage(user) };
  },

  async refreshSession({ refreshToken }, context) {
    const call = callOf(context);
    const input = granted(readInput(refreshSchema, present({ refreshToken })), call);
    call.onSecret();
    return { ...granted(await call.services.auth.refresh(input.refreshToken), call) };
  },

  async logOut(_request, context) {
    const call = callOf(context);
    granted(await call.services.auth.logOut(call.actor), call);
    return {};
  },

  async verifyToken({ accessToken }, context) {
    const call = callOf(context);
    const outcome =
      accessToken === undefined
        ? ownToken(call.credentials)
        : await verifyPresented(call.services, accessToken);
    const { userId, sessionId, role, expiresAt } = granted(outcome, call);
    return {
      userId,
      ...withoutNull({ sessionId }),
      role: roleMessage(role),
      expiresAt: timestampFromMs(expiresAt),
    };
  },
};

/** The gate has judged it: a revoked one does not come here. */
function ownToken(credentials: Credentials): Outcome<BearerToken> {
  return credentials.kind === "verified"
    ? done(credentials.token)
    : refuse("unauthenticated", "This call needs an access token.");
}
