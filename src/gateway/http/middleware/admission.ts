/**
 * Whether the request may go on: within its client's budget, with a token that was not revoked. The client is the user
 * once the token's signature and claims are verified; a bad or absent token is charged to the address.
 */
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { ANONYMOUS } from "../../../kernel/actor";
import { type Refusal, refuse } from "../../../kernel/errors";
import {
  type Admission,
  addressKey,
  type KnownRevocations,
  policiesOf,
  rateLimitField,
  rateLimitPolicyField,
  userKey,
  violatedPolicies,
} from "../../../platform/limiter";
import type { BearerToken } from "../../../services/auth";
import type { Credentials, GatewayEnv, Services } from "../../request-context";
import { problem } from "../problem";

/** They bring credentials of their own: a client whose access token has expired must be able to get another. */
const CREDENTIAL_PATHS: ReadonlySet<string> = new Set([
  "/api/auth/login",
  "/api/auth/refresh",
  "/api/auth/password/forgot",
  "/api/auth/password/reset",
  "/api/auth/email/verify",
]);

/** Charges every request but OPTIONS to its client. */
export const admission = createMiddleware<GatewayEnv>(async (c, next) => {
  if (c.req.method === "OPTIONS") return await next();
  const { services, credentials, config } = c.var;
  const clientKey =
    credentials.kind === "verified"
      ? userKey(credentials.token.userId)
      : addressKey(c.req.header("cf-connecting-ip"));
  const admitted = await services.limiter.admit({ clientKey, policy: policiesOf(config).default });
  announce(c, admitted);
  if (admitted.outcome === "refused") return problem(c, overLimit(admitted));

  const refusal = await judge(c, admitted);
  if (refusal !== null && !CREDENTIAL_PATHS.has(c.req.path)) return problem(c, refusal);
  if (refusal !== null) c.set("actor", ANONYMOUS);
  await next();
  return undefined;
});

function announce(c: Context<GatewayEnv>, admitted: Admission): void {
  c.header("RateLimit-Policy", rateLimitPolicyField(admitted));
  c.header("RateLimit", rateLimitField(admitted));
}

function overLimit(admitted: Admission): Refusal {
  return {
    code: "rate_limited",
    detail: `The budget of ${admitted.limit} requests in ${admitted.windowSeconds} seconds is spent.`,
    retryAfterSeconds: admitted.retryAfterSeconds,
    extensions: { "violated-policies": violatedPolicies(admitted.violatedPolicy ?? admitted.policy) },
  };
}

/** Whether the token that was sent, if any, still stands: null when it does, and the actor is whom it names. */
async function judge(c: Context<GatewayEnv>, { revocations }: Admission): Promise<Refusal | null> {
  const { credentials, services } = c.var;
  switch (credentials.kind) {
    case "none":
      return null;
    case "bad":
      return credentials.refusal;
    case "verified": {
      const token = await stillGood(credentials, revocations, services);
      if (token === null) return refuse("token_revoked", "The session of this token was ended.").refusal;
      const { userId, role, sessionId } = token;
      c.set("actor", { kind: "user", userId, role, sessionId });
      return null;
    }
  }
}

/** When the client's object was silent nothing is known of revocations: then D1 is asked, for P6 has no exception. */
async function stillGood(
  { presented, token }: Extract<Credentials, { kind: "verified" }>,
  known: KnownRevocations | null,
  { auth, authenticator }: Services,
): Promise<BearerToken | null> {
  if (known !== null) return await authenticator.stillGood(presented, token, known);
  if (token.sessionId === null) return await authenticator.verifyAnew(presented);
  return (await auth.isValid(token)) ? token : null;
}
