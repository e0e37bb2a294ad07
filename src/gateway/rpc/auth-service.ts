/** `auth.v1.AuthService`: translate in, call one use case, translate out. */
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { done, type Outcome, refuse } from "../../kernel/errors";
import type { BearerToken } from "../../services/auth";
import { present } from "../input";
import type { Credentials } from "../request-context";
import type { AuthService } from "./gen/auth/v1/auth_service_pb";
import { answerBy, callOf, messageValue } from "./rpc-call";
import { roleMessage, userMessage, withoutNull } from "./user-message";

export const authService: ServiceImpl<typeof AuthService> = {
  async logIn({ email, password }, context) {
    const input = present({ email, password });
    const { user, ...pair } = await answerBy(context, "auth.logIn", { input });
    return { ...pair, user: userMessage(user) };
  },

  async refreshSession({ refreshToken }, context) {
    return { ...(await answerBy(context, "auth.refresh", { input: present({ refreshToken }) })) };
  },

  async logOut(_request, context) {
    await answerBy(context, "auth.logOut");
    return {};
  },

  async verifyToken({ accessToken }, context) {
    const call = callOf(context);
    const { userId, sessionId, role, expiresAt } =
      accessToken === undefined
        ? messageValue(ownToken(call.credentials), call)
        : await answerBy(context, "auth.verifyToken", { input: accessToken });
    return {
      userId,
      ...withoutNull({ sessionId }),
      role: roleMessage(role),
      expiresAt: timestampFromMs(expiresAt),
    };
  },
};

/** Admission has checked it: a revoked one does not come here. */
function ownToken(credentials: Credentials): Outcome<BearerToken> {
  return credentials.kind === "verified"
    ? done(credentials.token)
    : refuse("unauthenticated", "This call needs an access token.");
}
