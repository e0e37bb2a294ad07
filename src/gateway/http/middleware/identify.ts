/**
 * Who calls. Nothing is refused here: a bad token is charged to the address it came from first, and refused by
 * `admission` then.
 */
import { createMiddleware } from "hono/factory";
import { type Outcome, refuse } from "../../../kernel/errors";
import type { BearerToken } from "../../../services/auth";
import type { Credentials, GatewayEnv } from "../../request-context";
import { bearerOf } from "../bearer";

export const identify = createMiddleware<GatewayEnv>(async (c, next) => {
  // OPTIONS is not charged, so it must not cost anything either.
  if (c.req.method === "OPTIONS") c.set("credentials", { kind: "none" });
  if (c.get("credentials") !== undefined) return await next();
  const { authenticator } = c.get("services");
  const credentials = await readCredentials(c.req.header("authorization"), (token) =>
    authenticator.verify(token),
  );
  c.set("credentials", credentials);
  if (credentials.kind === "verified") {
    const { userId, role, sessionId } = credentials.token;
    c.set("actor", { kind: "user", userId, role, sessionId });
  }
  return await next();
});

async function readCredentials(
  header: string | undefined,
  verify: (token: string) => Promise<Outcome<BearerToken>>,
): Promise<Credentials> {
  if (header === undefined) return { kind: "none" };
  const token = bearerOf(header);
  if (token === null) {
    const detail = "The Authorization header is not of the form `Bearer <token>`.";
    return { kind: "bad", refusal: refuse("unauthenticated", detail).refusal };
  }
  const outcome = await verify(token);
  return outcome.ok
    ? { kind: "verified", presented: token, token: outcome.value }
    : { kind: "bad", refusal: outcome.refusal };
}
