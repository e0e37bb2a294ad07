/**
 * The door of the limiter. `limiterOf` and `authBudgetsOf` are built per request by `wiring.ts`; they are cheap. What
 * the isolate remembers between requests is the lease book, and that holds values only.
 */

import type { Config } from "../env";
import type { Scope } from "../scope";
import { AuthBudgets } from "./auth-budgets";
import { shieldOf } from "./burst-shield";
import type { ClientLimiter } from "./client-limiter";
import { LeaseBook } from "./lease-book";
import { canWakeOthers } from "./letterbox";
import { Limiter, type LimiterObject } from "./limiter";
import { LimiterAdmin } from "./limiter-admin";
import { policiesOf } from "./policies";
import { systemSleep } from "./silence";

/** What of the bindings the limiter needs. */
export interface LimiterBindings {
  readonly CLIENT_LIMITER: DurableObjectNamespace<ClientLimiter>;
  readonly ASK_SHIELD: RateLimit;
  readonly STRANGER_SHIELD: RateLimit;
}

let isolateBook: LeaseBook | undefined;

/** This isolate's book. Made at the first request, for no randomness is allowed before. */
function bookOf(scope: Scope): LeaseBook {
  isolateBook ??= new LeaseBook(scope.newId());
  return isolateBook;
}

export function limiterOf(env: LimiterBindings, scope: Scope): Limiter {
  return new Limiter({
    objectOf: objectsOf(env),
    shield: shieldOf(env, scope.log),
    book: bookOf(scope),
    clock: scope.clock,
    newId: scope.newId,
    sleep: systemSleep,
    isWakeable: canWakeOthers(),
    calls: scope.calls,
    callsAfterResponse: scope.callsAfterResponse,
    log: scope.log,
    waitUntil: scope.waitUntil,
  });
}

export function authBudgetsOf(env: LimiterBindings, config: Config, scope: Scope): AuthBudgets {
  return new AuthBudgets({
    objectOf: objectsOf(env),
    shield: shieldOf(env, scope.log),
    policies: policiesOf(config),
    newId: scope.newId,
    sleep: systemSleep,
    calls: scope.calls,
    log: scope.log,
  });
}

export function limiterAdminOf(env: LimiterBindings, scope: Scope): LimiterAdmin {
  return new LimiterAdmin({
    objectOf: (name) => env.CLIENT_LIMITER.getByName(name),
    sleep: systemSleep,
    calls: scope.calls,
  });
}

/** Of probes, so that not all of them are one object's. */
const PROBE_OBJECTS = 16;

/** Whether the objects answer. **Cost**: 1 object call, to one that no client has. */
export async function pingLimiter(env: LimiterBindings, { clock, calls }: Scope): Promise<void> {
  calls.objectCalls += 1;
  await env.CLIENT_LIMITER.getByName(`probe:${Math.floor(clock() / 1000) % PROBE_OBJECTS}`).ping();
}

function objectsOf(env: LimiterBindings): (name: string) => LimiterObject {
  return (name) => env.CLIENT_LIMITER.getByName(name);
}

export { type Admission, FAIL_OPEN_ALLOWANCE, type KnownRevocations } from "./admission";
export { AuthBudgets, type Charge } from "./auth-budgets";
export {
  type BudgetSubject,
  type BudgetTarget,
  budgetTargets,
  overBudget,
  refuseBurst,
} from "./budget-target";
export { type Shield, shieldOf } from "./burst-shield";
export { addressKey, type ClientKey, siteKey, UNKNOWN_CLIENT, userKey } from "./client-key";
export { BUCKETS_PER_WINDOW } from "./lease-rule";
export { Limiter } from "./limiter";
export { LimiterAdmin } from "./limiter-admin";
export {
  BURST_POLICY,
  type Policy,
  type PolicyName,
  policiesOf,
  policyNameFor,
  ROUTE_GROUPS,
} from "./policies";
export {
  QUOTA_EXCEEDED_TYPE,
  rateLimitField,
  rateLimitPolicyField,
  violatedPolicies,
} from "./rate-limit-headers";
export { type NewRevocations, REVOKED_SESSIONS_MAX, type RevokedSession } from "./revocations";
