/**
 * Whether a request may go on, for every protocol: within its client's budget, with a token that was not revoked. The
 * client is the user once the token's signature and claims are verified; a bad or absent token is charged to the
 * address, so that a forged `sub` spends nobody's budget.
 */
import { AppError, type Refusal, refuse } from "../kernel/errors";
import type { Config } from "../platform/env";
import {
  type Admission,
  addressKey,
  BURST_POLICY,
  policiesOf,
  userKey,
  violatedPolicies,
} from "../platform/limiter";
import { type BearerToken, judgeToken } from "../services/auth";
import type { Credentials, Services } from "./request-context";

/** What the gate needs of a request. */
export interface Entrant {
  /** The policy of its route group. */
  readonly policyName: "default";
  readonly services: Pick<Services, "limiter" | "auth" | "authenticator">;
  readonly config: Config;
  readonly credentials: Credentials;
  /** `CF-Connecting-IP`. */
  readonly address: string | undefined;
}

/** The gate's word. Neither refusal: the request goes on. */
export interface Passage {
  /** What the RateLimit fields say. */
  readonly admission: Admission;
  /** The budget is spent. Nobody passes. */
  readonly overLimit: Refusal | null;
  /** The token is bad, or its session was ended. Passes only where no token is needed, as a stranger. */
  readonly badToken: Refusal | null;
  /** Whom the token names, as far as it is good: a foreign one may be read anew, and name another role then. */
  readonly token: BearerToken | null;
}

/**
 * Charges the request and judges its token: at once when the isolate's memory can, else when the client's object has
 * answered. When that is silent nothing is known of revocations, so a token is checked in D1.
 * **Errors**: `unavailable`. **Cost**: at most a share of one object call; without an answer, one D1 round trip.
 */
export function pass(entrant: Entrant): Passage | Promise<Passage> {
  const { credentials, services, config, address, policyName } = entrant;
  const clientKey = credentials.kind === "verified" ? userKey(credentials.token.userId) : addressKey(address);
  const request = { clientKey, policy: policiesOf(config)[policyName] };
  const remembered = services.limiter.admitFromMemory(request);
  if (remembered === null) return services.limiter.admit(request).then((answer) => judge(entrant, answer));
  return judge(entrant, remembered);
}

/** As `pass`, for what is awaited later: a failure is a value, lest it be an unhandled rejection until then. */
export async function passOrFailure(passing: Promise<Passage>): Promise<Passage | AppError> {
  try {
    return await passing;
  } catch (error) {
    if (error instanceof AppError) return error;
    return new AppError("internal", "the gate failed", { cause: error });
  }
}

function judge(entrant: Entrant, admission: Admission): Passage | Promise<Passage> {
  const { credentials } = entrant;
  if (admission.outcome === "refused") {
    return { admission, overLimit: refusalOver(admission), badToken: null, token: null };
  }
  switch (credentials.kind) {
    case "none":
      return { admission, overLimit: null, badToken: null, token: null };
    case "bad":
      return { admission, overLimit: null, badToken: credentials.refusal, token: null };
    case "verified":
      return decideToken(entrant, credentials, admission);
  }
}

function decideToken(
  entrant: Entrant,
  credentials: Verified,
  admission: Admission,
): Passage | Promise<Passage> {
  const { token } = credentials;
  const { revocations } = admission;
  const verdict = revocations === null ? "unsure" : judgeToken(token, revocations);
  if (verdict !== "unsure") return passageOf(admission, verdict === "good" ? token : null);
  return askDatabase(entrant, credentials).then((good) => passageOf(admission, good));
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

function passageOf(admission: Admission, token: BearerToken | null): Passage {
  return { admission, overLimit: null, badToken: token === null ? ENDED : null, token };
}

const ENDED: Refusal = refuse("token_revoked", "The session of this token was ended.").refusal;

function refusalOver(admission: Admission): Refusal {
  const policy = admission.violatedPolicy ?? admission.policy;
  const detail =
    policy === BURST_POLICY
      ? "Too many requests came at once."
      : `The budget of ${admission.limit} requests in ${admission.windowSeconds} seconds is spent.`;
  return {
    code: "rate_limited",
    detail,
    retryAfterSeconds: admission.retryAfterSeconds,
    extensions: { "violated-policies": violatedPolicies(policy) },
  };
}
