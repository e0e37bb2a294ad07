/**
 * The gate of `/api`, `/graphql` and `/rpc`. A decision out of the isolate's memory comes before the handler. When the client's object must
 * be asked, an unsafe method waits for the answer first; on a safe one the handler's reads run beside the ask, which is
 * awaited before anything is answered, so that the hop costs no time and nothing leaks.
 */
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { ANONYMOUS } from "../../../kernel/actor";
import { AppError, type Refusal } from "../../../kernel/errors";
import { policyNameFor, rateLimitField, rateLimitPolicyField } from "../../../platform/limiter";
import { describeError } from "../../../platform/observability/logger";
import { type Entrant, type Passage, pass, passOrFailure } from "../../admission";
import { refusalOf } from "../../error-map";
import type { GatewayEnv } from "../../request-context";
import { problem } from "../problem";

/** They bring credentials of their own: a client whose access token has expired must be able to get another. */
const CREDENTIAL_PATHS: ReadonlySet<string> = new Set([
  "/api/auth/login",
  "/api/auth/refresh",
  "/api/auth/password/forgot",
  "/api/auth/password/reset",
  "/api/auth/email/verify",
  "/rpc/auth.v1.AuthService/LogIn",
  "/rpc/auth.v1.AuthService/RefreshSession",
]);

/** Charges every request of a limited route group, but OPTIONS, to its client. */
export const admission = createMiddleware<GatewayEnv>(async (c, next) => {
  const policyName = policyNameFor(c.req.path);
  if (policyName === null || c.req.method === "OPTIONS") return await next();
  const entrant: Entrant = {
    services: c.get("services"),
    credentials: c.get("credentials"),
    config: c.get("config"),
    address: c.req.header("cf-connecting-ip"),
    policyName,
  };
  const passing = pass(entrant);
  let passage: Passage;
  c.set("admitAgain", async () => {
    passage = await pass({ ...entrant, credentials: c.get("credentials") });
    return settle(c, passage);
  });
  if (passing instanceof Promise && canOverlap(c)) return await overlapped(c, passing, next);

  passage = await passing;
  const refusal = settle(c, passage);
  if (refusal !== null) {
    const refused = problem(c, refusal);
    announce(refused, passage);
    return refused;
  }
  await next();
  announce(c.res, passage);
  return undefined;
});

/** Sets whom the token names. The refusal, if the request may not go on. */
function settle(c: Context<GatewayEnv>, passage: Passage): Refusal | null {
  warnInShadow(c, passage);
  const refusal = refusalOn(c, passage);
  if (refusal !== null) return refusal;
  if (passage.badToken !== null) c.set("actor", ANONYMOUS);
  if (passage.token !== null) {
    const { userId, role, sessionId } = passage.token;
    c.set("actor", { kind: "user", userId, role, sessionId });
    const credentials = c.get("credentials");
    // Read anew: what is admitted again is judged by that.
    if (credentials.kind === "verified" && credentials.token !== passage.token)
      c.set("credentials", { ...credentials, token: passage.token });
  }
  return null;
}

/** Safe methods change nothing, so their handler may run before it is known whether its answer will be given. */
function canOverlap(c: Context<GatewayEnv>): boolean {
  const isSafe = c.req.method === "GET" || c.req.method === "HEAD";
  const credentials = c.get("credentials");
  // A foreign token may turn out to name another role than was remembered.
  const isForeign = credentials.kind === "verified" && credentials.token.sessionId === null;
  return isSafe && credentials.kind !== "bad" && !isForeign;
}

async function overlapped(
  c: Context<GatewayEnv>,
  passing: Promise<Passage>,
  next: () => Promise<void>,
): Promise<undefined> {
  // What earlier middleware put on the answer, whatever it will be.
  const headers = new Headers(c.res.headers);
  const outcome = passOrFailure(passing);
  await next();
  const passage = await outcome;
  if (passage instanceof AppError) {
    c.var.scope.log.log("error", "request.failed", { method: c.req.method, ...describeError(passage) });
    replaceAnswer(c, headers, refusalOf(passage));
    return;
  }
  const refusal = refusalOn(c, passage);
  if (refusal !== null) replaceAnswer(c, headers, refusal);
  warnInShadow(c, passage);
  announce(c.res, passage);
}

/** The handler's answer goes, with every header that it set: an entity tag says something too. */
function replaceAnswer(c: Context<GatewayEnv>, headers: Headers, refusal: Refusal): void {
  const unanswered = c.res.body;
  const refused = problem(c, refusal);
  for (const name of ["Content-Type", "Cache-Control", "Retry-After", "WWW-Authenticate"]) {
    const value = refused.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  c.res = undefined;
  c.res = new Response(refused.body, { status: refused.status, headers });
  if (unanswered !== null && !unanswered.locked) c.var.scope.waitUntil(unanswered.cancel());
}

function refusalOn(c: Context<GatewayEnv>, { overLimit, badToken }: Passage): Refusal | null {
  return overLimit ?? (CREDENTIAL_PATHS.has(c.req.path) ? null : badToken);
}

function warnInShadow(c: Context<GatewayEnv>, { admission: figures }: Passage): void {
  if (figures.outcome !== "admitted" || figures.violatedPolicy === null) return;
  c.get("scope").log.log("warn", "limit.exceeded_in_shadow", { policy: figures.violatedPolicy });
}

/** Tells of the budget, on the finished answer: a header that is put on before there is one is copied into it. */
function announce({ headers }: Response, { admission: figures }: Passage): void {
  headers.set("RateLimit-Policy", rateLimitPolicyField(figures));
  headers.set("RateLimit", rateLimitField(figures));
}
