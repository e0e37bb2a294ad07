/** What a request is told: the limiter's answer, made out of the verdict on it. */
import type { AdmissionSource } from "../observability/calls";
import { SHIELD_SECONDS } from "./burst-shield";
import type { ClientKey } from "./client-key";
import type { Allowance, ClientEntry, Verdict } from "./lease-book";
import { BURST_POLICY, type Policy } from "./policies";
import type { Revocations } from "./revocations";
import { objectUnavailable } from "./silence";

export interface KnownRevocations {
  readonly minEpoch: number;
  /** When that was raised, in milliseconds; null when it is not known. */
  readonly minEpochSince: number | null;
  /** Foreign tokens issued before (seconds) are void. */
  readonly minIssuedAt: number;
  isSessionRevoked(sessionId: string): boolean;
}

export interface BudgetRequest {
  readonly clientKey: ClientKey;
  readonly policy: Policy;
}

export interface BudgetAnswer {
  /** `fail-open`: the object failed or was silent, and the isolate admitted out of its own small allowance. */
  readonly outcome: "admitted" | "refused" | "fail-open";
  readonly policy: string;
  readonly limit: number;
  readonly windowSeconds: number;
  readonly remaining: number;
  /** Until more is free. */
  readonly resetSeconds: number;
  /** At least 1 when refused, never earlier than the window's release; 0 otherwise. */
  readonly retryAfterSeconds: number;
  /** At most 60 s old. Null when the object could not say: the session must then be checked in the database. */
  readonly revocations: KnownRevocations | null;
  readonly decidedBy: AdmissionSource;
  /** The policy that refused. In shadow mode it is named although the request was admitted. */
  readonly violatedPolicy: string | null;
}

/** What a request ends with. */
export type FinalVerdict = Exclude<Verdict, { kind: "again" }>;

/**
 * Admissions of one client that an isolate allows in a minute while the client's object is silent: the one exception
 * to the limit. (The limit's own numbers may be lower: then those.)
 */
export const FAIL_OPEN_ALLOWANCE = 10;
const ALLOWANCE_PERIOD_MS = 60_000;

/** The answer to a request, out of the verdict on it. **Errors**: `unavailable` when the isolate's allowance is spent. */
export function budgetAnswerOf(
  entry: ClientEntry,
  policy: Policy,
  verdict: FinalVerdict,
  nowMs: number,
): BudgetAnswer {
  if (verdict.kind === "silent") return fromAllowance(entry.allowance, policy, nowMs);
  if (verdict.kind === "shielded") return shielded(policy);
  const { window, revocations } = verdict.known;
  const isOver = verdict.kind === "refused";
  const isRefused = isOver && !policy.isShadow && !window.isShadow;
  const windowSeconds = window.quota.windowMs / 1000;
  const releaseSeconds = Math.max(1, Math.ceil((window.releaseAt - nowMs) / 1000));
  return {
    outcome: isRefused ? "refused" : "admitted",
    policy: policy.name,
    limit: window.quota.limit,
    windowSeconds,
    remaining: isOver ? 0 : window.remaining + (entry.lease?.unspent ?? 0) + (entry.reserve?.unspent ?? 0),
    resetSeconds: isRefused ? releaseSeconds : Math.min(releaseSeconds, windowSeconds),
    retryAfterSeconds: isRefused ? releaseSeconds : 0,
    revocations: knownRevocations(revocations),
    decidedBy: verdict.kind === "admitted" ? verdict.by : "object",
    violatedPolicy: isOver ? policy.name : null,
  };
}

/** The object is silent: a few are admitted, nothing is known of revocations. */
function fromAllowance(allowance: Allowance, policy: Policy, nowMs: number): BudgetAnswer {
  if (nowMs >= allowance.endsAt) Object.assign(allowance, { spent: 0, endsAt: nowMs + ALLOWANCE_PERIOD_MS });
  const allowed = Math.min(FAIL_OPEN_ALLOWANCE, policy.limit);
  if (allowance.spent >= allowed)
    throw objectUnavailable("the client's object is silent, and the allowance is spent");
  allowance.spent += 1;
  return {
    outcome: "fail-open",
    policy: policy.name,
    limit: policy.limit,
    windowSeconds: policy.windowSeconds,
    remaining: allowed - allowance.spent,
    resetSeconds: Math.ceil((allowance.endsAt - nowMs) / 1000),
    retryAfterSeconds: 0,
    revocations: null,
    decidedBy: "isolate",
    violatedPolicy: null,
  };
}

/** Nothing is known of the budget, so nothing of it is promised. */
function shielded(policy: Policy): BudgetAnswer {
  return {
    outcome: "refused",
    policy: policy.name,
    limit: policy.limit,
    windowSeconds: policy.windowSeconds,
    remaining: 0,
    resetSeconds: SHIELD_SECONDS,
    retryAfterSeconds: SHIELD_SECONDS,
    revocations: null,
    decidedBy: "shield",
    violatedPolicy: BURST_POLICY,
  };
}

function knownRevocations({ minEpoch, minEpochSince, minIssuedAt, sessions }: Revocations): KnownRevocations {
  return {
    minEpoch,
    minEpochSince,
    minIssuedAt,
    isSessionRevoked: (sessionId) => sessions.some((session) => session.id === sessionId),
  };
}
