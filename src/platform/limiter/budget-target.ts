/** What an attempt is charged to, and how a budget says no: the same for those that an object counts and D1 counts. */
import { refuse } from "../../kernel/errors";
import { SHIELD_SECONDS, type Shield } from "./burst-shield";
import { addressKey, type ClientKey, siteKey } from "./client-key";
import type { Quota } from "./lease-rule";
import { BURST_POLICY, type Policy } from "./policies";
import { violatedPolicies } from "./rate-limit-headers";

/** Whose budget: an account (any text that names it, known or not), or the address that calls. */
export type BudgetSubject =
  | { readonly kind: "account"; readonly id: string }
  | { readonly kind: "address"; readonly address: string | null };

export interface BudgetTarget {
  /** Budget and key, `<policy>|ip:192.0.2.1`: the object's name, where an object counts. */
  readonly object: string;
  readonly quota: Quota;
}

/** A /48 holds many who have nothing to do with each other. */
const SITE_FACTOR = 4;

/** For an IPv6 address the /64 and the /48, at four times the limit. */
export function budgetTargets(policy: Policy, subject: BudgetSubject): readonly BudgetTarget[] {
  const quota: Quota = { limit: policy.limit, windowMs: policy.windowSeconds * 1000, leaseMax: 1 };
  const target = (key: ClientKey, factor = 1): BudgetTarget => ({
    object: `${policy.name}|${key}`,
    quota: { ...quota, limit: quota.limit * factor },
  });
  if (subject.kind === "account") return [target(`account:${subject.id}`)];
  const site = siteKey(subject.address);
  const own = target(addressKey(subject.address));
  return site === null ? [own] : [own, target(site, SITE_FACTOR)];
}

/** The refusal when one of the targets is asked too often for the burst shield, else null. */
export async function refuseBurst(shield: Shield, targets: readonly BudgetTarget[]) {
  const passes = await Promise.all(targets.map(({ object }) => shield(object)));
  return passes.includes(false) ? overBudget(BURST_POLICY, SHIELD_SECONDS * 1000) : null;
}

/** @param waitMs until there is room again */
export function overBudget(policy: string, waitMs: number) {
  return refuse("rate_limited", "Too many attempts. Wait as long as `Retry-After` says.", {
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
    extensions: { "violated-policies": violatedPolicies(policy) },
  });
}
