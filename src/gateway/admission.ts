/**
 * Whether a request may go on, for every protocol: within its client's budget, with a token that was not revoked. The
 * client is the user once the token's signature and claims are verified; a bad or absent token is charged to the
 * address, so that a forged `sub` spends nobody's budget.
 */
import { AppError, type Refusal, refuse } from "../kernel/errors";
import type { Config } from "../platform/env";
import {
  addressKey,
  BURST_POLICY,
  type BudgetAnswer,
  defaultPolicyOf,
  userKey,
  violatedPolicies,
} from "../platform/limiter";
import { inSpan } from "../platform/observability/tracing";
import { type BearerToken, judgeToken } from "../services/auth";
import type { Credentials, Services } from "./request-context";

/** What admission needs of a request. */
export interface Entrant {
  readonly services: Pick<Services, "limiter" | "auth" | "authenticator">;
  readonly config: Config;
  readonly credentials: Credentials;
  /** `CF-Connecting-IP`. */
  readonly address: string | undefined;
}

/** What admission found. Without a refusal the request goes on. */
export interface Admission {
  /** What the RateLimit fields say. */
  readonly budget: BudgetAnswer;
  /** The budget is spent: no request goes on. */
  readonly overLimit: Refusal | null;
  /** The token is bad, or its session was ended: the request goes on only where no token is needed, as anonymous. */
  readonly badToken: Refusal | null;
  /** The accepted token, or null. A foreign one may have been read again, and name another role than the presented one. */
  readonly token: BearerToken | null;
}

/**
 * Charges the request and judges its token: at once when the isolate's memory can, else when the client's object has
 * answered. When that is silent nothing is known of revocations, so a token is checked in D1.
 * **Errors**: `unavailable`. **Cost**: at most a share of one object call; without an answer, one D1 round trip.
 */
export function admissionOf(entrant: Entrant): Admission | Promise<Admission> {
  const { credentials, services, config, address } = entrant;
  const clientKey = credentials.kind === "verified" ? userKey(credentials.token.userId) : addressKey(address);
  const request = { clientKey, policy: defaultPolicyOf(config) };
  const remembered = services.limiter.admitFromMemory(request);
  if (remembered === null)
    return inSpan("limiter.admit", {}, () => services.limiter.admit(request)).then((answer) =>
      judge(entrant, answer),
    );
  return judge(entrant, remembered);
}

/** Returns a failure as a value, so that an admission awaited later is no unhandled rejection until then. */
export async function admissionOrFailure(pending: Promise<Admission>): Promise<Admission | AppError> {
  try {
    return await pending;
  } catch (error) {
    if (error instanceof AppError) return error;
    return new AppError("internal", "admission failed", { cause: error });
  }
}

function judge(entrant: Entrant, budget: BudgetAnswer): Admission | Promise<Admission> {
  const { credentials } = entrant;
  if (budget.outcome === "refused") {
    return { budget, overLimit: refusalOver(budget), badToken: null, token: null };
  }
  switch (credentials.kind) {
    case "none":
      return { budget, overLimit: null, badToken: null, token: null };
    case "bad":
      return { budget, overLimit: null, badToken: credentials.refusal, token: null };
    case "verified":
      return decideToken(entrant, credentials, budget);
  }
}

function decideToken(
  entrant: Entrant,
  credentials: Verified,
  budget: BudgetAnswer,
): Admission | Promise<Admission> {
  const { token } = credentials;
  const { revocations } = budget;
  const verdict = revocations === null ? "unsure" : judgeToken(token, revocations);
  if (verdict !== "unsure") return admissionWith(budget, verdict === "good" ? token : null);
  return askDatabase(entrant, credentials).then((good) => admissionWith(budget, good));
}

type Verified = Extract<Credentials, { kind: "verified" }>;

/** What memory cannot decide; a foreign token may name another role then. **Cost**: 1 D1 round trip to the primary. */
async function askDatabase(
  { services: { auth, authenticator } }: Entrant,
  { presented, token }: Verified,
): Promise<BearerToken | null> {
  if (token.sessionId === null) return await authenticator.verifyAnew(presented);
  return (await auth.isValid(token)) ? token : null;
}

function admissionWith(budget: BudgetAnswer, token: BearerToken | null): Admission {
  return { budget, overLimit: null, badToken: token === null ? ENDED : null, token };
}

const ENDED: Refusal = refuse("token_revoked", "The session of this token was ended.").refusal;

function refusalOver(budget: BudgetAnswer): Refusal {
  const policy = budget.violatedPolicy ?? budget.policy;
  const detail =
    policy === BURST_POLICY
      ? "Too many requests came at once."
      : `The budget of ${budget.limit} requests in ${budget.windowSeconds} seconds is spent.`;
  return {
    code: "rate_limited",
    detail,
    retryAfterSeconds: budget.retryAfterSeconds,
    extensions: { "violated-policies": violatedPolicies(policy) },
  };
}
