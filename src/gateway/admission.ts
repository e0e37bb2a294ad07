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
import type { VerifiedToken } from "../services/auth";
import type { Credentials, Services } from "./request-context";

/** What the gate needs of a request. */
export interface Entrant {
  readonly services: Pick<Services, "limiter" | "auth">;
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
}

/**
 * Charges the request and judges its token: at once when the isolate's memory can, else when the client's object has
 * answered. When that is silent nothing is known of revocations, so a token is checked in D1.
 * **Errors**: `unavailable`. **Cost**: at most a share of one object call; without an answer, one D1 round trip.
 */
export function pass(entrant: Entrant): Passage | Promise<Passage> {
  const { credentials, services, config, address } = entrant;
  const clientKey = credentials.kind === "verified" ? userKey(credentials.token.userId) : addressKey(address);
  const request = { clientKey, policy: policiesOf(config).default };
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
  const overLimit = admission.outcome === "refused" ? refusalOver(admission) : null;
  const isUnknown = overLimit === null && admission.revocations === null;
  if (isUnknown && credentials.kind === "verified")
    return checkSession(entrant, credentials.token, admission);
  return { admission, overLimit, badToken: refusalOfToken(credentials, admission) };
}

async function checkSession(entrant: Entrant, token: VerifiedToken, admission: Admission): Promise<Passage> {
  const isValid = await entrant.services.auth.isValid(token);
  return { admission, overLimit: null, badToken: isValid ? null : ENDED };
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

function refusalOfToken(credentials: Credentials, { revocations }: Admission): Refusal | null {
  switch (credentials.kind) {
    case "none":
      return null;
    case "bad":
      return credentials.refusal;
    case "verified": {
      const { epoch, sessionId } = credentials.token;
      const isEnded =
        revocations !== null && (epoch < revocations.minEpoch || revocations.isSessionRevoked(sessionId));
      return isEnded ? ENDED : null;
    }
  }
}
