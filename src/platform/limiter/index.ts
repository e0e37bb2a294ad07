/**
 * The door of the limiter. `limiterOf` and `exactBudgetsOf` are built per request by `wiring.ts`; they are cheap. What
 * the isolate remembers between requests is the lease book, and that holds values only.
 */

import { newId } from "../clock";
import { kept } from "../isolate";
import type { Scope } from "../scope";
import { shieldOf } from "./burst-shield";
import type { ClientLimiter } from "./client-limiter";
import { ExactBudgets } from "./exact-budgets";
import { LeaseBook } from "./lease-book";
import { canWakeOthers } from "./letterbox";
import { Limiter, type LimiterObject } from "./limiter";
import { LimiterAdmin } from "./limiter-admin";
import type { Policy } from "./policies";
import { systemSleep } from "./silence";

/** What of the bindings the limiter needs. */
export interface LimiterBindings {
  readonly CLIENT_LIMITER: DurableObjectNamespace<ClientLimiter>;
  readonly ASK_SHIELD: RateLimit;
  readonly STRANGER_SHIELD: RateLimit;
}

const isolateBook = kept(() => new LeaseBook(newId()));

export function limiterOf(env: LimiterBindings, scope: Scope): Limiter {
  return new Limiter({
    objectOf: objectsOf(env),
    shield: shieldOf(env, scope.log),
    book: isolateBook(),
    clock: scope.clock,
    newId: scope.newId,
    sleep: systemSleep,
    isWakeable: canWakeOthers(),
    calls: scope.calls,
    log: scope.log,
    waitUntil: scope.waitUntil,
    afterResponse: scope.afterResponse,
  });
}

export function exactBudgetsOf<Name extends string>(
  env: LimiterBindings,
  policies: Readonly<Record<Name, Policy>>,
  scope: Scope,
): ExactBudgets<Name> {
  return new ExactBudgets({
    objectOf: objectsOf(env),
    shield: shieldOf(env, scope.log),
    policies,
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

export type { BudgetAnswer } from "./budget-answer";
export {
  type BudgetSubject,
  type BudgetTarget,
  budgetTargets,
  overBudget,
  refuseBurst,
} from "./budget-target";
export { type Shield, shieldOf } from "./burst-shield";
export { addressKey, type ClientKey, UNKNOWN_CLIENT, userKey } from "./client-key";
export { type Charge, ExactBudgets } from "./exact-budgets";
export { BUCKETS_PER_WINDOW } from "./lease-rule";
export { Limiter } from "./limiter";
export { LimiterAdmin } from "./limiter-admin";
export { BURST_POLICY, defaultPolicyOf, type Policy } from "./policies";
export { rateLimitField, rateLimitPolicyField, violatedPolicies } from "./rate-limit-headers";
export type { NewRevocations } from "./revocations";
