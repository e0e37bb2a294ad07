/**
 * Admission to `/api`, `/graphql` and `/rpc`. A decision from the isolate's memory comes before the handler. When the
 * client's object must decide, an unsafe method waits for it first. On a safe method the handler's reads run beside that
 * call, which is awaited before the response, so the hop costs no time and nothing leaks.
 */
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { ANONYMOUS } from "../../../kernel/actor";
import { AppError, type Refusal } from "../../../kernel/errors";
import { rateLimitField, rateLimitPolicyField } from "../../../platform/limiter";
import { type Admission, admissionOf, admissionOrFailure, type Entrant } from "../../admission";
import { refusalOf } from "../../error-map";
import type { GatewayEnv } from "../../request-context";
import { problem } from "../problem";
import { isLimited } from "../route-groups";

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
export const admit = createMiddleware<GatewayEnv>(async (c, next) => {
  if (!isLimited(c.req.path) || c.req.method === "OPTIONS") return await next();
  const entrant: Entrant = {
    services: c.get("services"),
    credentials: c.get("credentials"),
    config: c.get("config"),
    address: c.req.header("cf-connecting-ip"),
  };
  const pending = admissionOf(entrant);
  let admission: Admission;
  c.set("admitAgain", async () => {
    admission = await admissionOf({ ...entrant, credentials: c.get("credentials") });
    return settle(c, admission);
  });
  if (pending instanceof Promise && canOverlap(c)) return await overlapped(c, pending, next);

  admission = await pending;
  const refusal = settle(c, admission);
  if (refusal !== null) {
    const refused = problem(c, refusal);
    announce(refused, admission);
    return refused;
  }
  await next();
  announce(c.res, admission);
  return undefined;
});

/** Sets the actor that the token names. Returns the refusal if the request may not go on. */
function settle(c: Context<GatewayEnv>, admission: Admission): Refusal | null {
  warnInShadow(c, admission);
  const refusal = refusalOn(c, admission);
  if (refusal !== null) return refusal;
  if (admission.badToken !== null) c.set("actor", ANONYMOUS);
  if (admission.token !== null) {
    const { userId, role, sessionId } = admission.token;
    c.set("actor", { kind: "user", userId, role, sessionId });
    const credentials = c.get("credentials");
    // It was read again: what is admitted again is judged by that.
    if (credentials.kind === "verified" && credentials.token !== admission.token)
      c.set("credentials", { ...credentials, token: admission.token });
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
  pending: Promise<Admission>,
  next: () => Promise<void>,
): Promise<undefined> {
  // What earlier middleware put on the answer, whatever it will be.
  const headers = new Headers(c.res.headers);
  const outcome = admissionOrFailure(pending);
  await next();
  const admission = await outcome;
  if (admission instanceof AppError) {
    c.var.scope.log.log("error", "request.failed", { method: c.req.method, error: admission });
    replaceAnswer(c, headers, refusalOf(admission));
    return;
  }
  const refusal = refusalOn(c, admission);
  if (refusal !== null) replaceAnswer(c, headers, refusal);
  warnInShadow(c, admission);
  announce(c.res, admission);
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

function refusalOn(c: Context<GatewayEnv>, { overLimit, badToken }: Admission): Refusal | null {
  return overLimit ?? (CREDENTIAL_PATHS.has(c.req.path) ? null : badToken);
}

function warnInShadow(c: Context<GatewayEnv>, { budget }: Admission): void {
  if (budget.outcome !== "admitted" || budget.violatedPolicy === null) return;
  c.get("scope").log.log("warn", "limit.exceeded_in_shadow", { policy: budget.violatedPolicy });
}

/** Sets the RateLimit fields on the finished response, because a header set before there is one is copied into it. */
function announce({ headers }: Response, { budget }: Admission): void {
  headers.set("RateLimit-Policy", rateLimitPolicyField(budget));
  headers.set("RateLimit", rateLimitField(budget));
}
