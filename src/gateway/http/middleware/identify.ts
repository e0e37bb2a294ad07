/**
 * Who calls. Nothing is refused here: a bad token is charged to the address it came from first, and refused by
 * `admission` then.
 */
import { createMiddleware } from "hono/factory";
import { refuse } from "../../../kernel/errors";
import type { Credentials, GatewayEnv } from "../../request-context";

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

export const identify = createMiddleware<GatewayEnv>(async (c, next) => {
  const credentials = await readCredentials(c.req.header("authorization"), (token) =>
    c.var.services.accessTokens.verify(token),
  );
  c.set("credentials", credentials);
  if (credentials.kind === "verified") {
    const { userId, role, sessionId } = credentials.token;
    c.set("actor", { kind: "user", userId, role, sessionId });
  }
  await next();
});
