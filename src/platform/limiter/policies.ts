/** Every policy of the limit, in one table: the quota of the route groups, and the budgets of the auth endpoints. */

import { AUTH_BUDGET_DEFAULTS, type AuthBudgetName, type Config } from "../env";
import type { Quota } from "./lease-rule";

/** `default` guards every request under `/api`, `/graphql` and `/rpc`; the others come on top, where auth spends them. */
export type PolicyName = "default" | AuthBudgetName;

/** The burst shield, which may refuse in place of any policy. Not a quota: approximate, and per location. */
export const BURST_POLICY = "burst";

export interface Policy {
  /** As in the RateLimit fields and in a problem's `violated-policies`. */
  readonly name: PolicyName;
  readonly limit: number;
  readonly windowSeconds: number;
  /** Largest lease; null for a tenth of the limit. */
  readonly leaseMax: number | null;
  /** Counts and reports, but refuses nobody. */
  readonly isShadow: boolean;
}

/**
 * Route groups and the policy that guards them. Paths that no group names (`/healthz`, `/docs`, ...) are free. Every
 * group has `default`, for revocations ride on its leases; a tighter policy for some route comes on top of it, as the
 * auth budgets do.
 */
export const ROUTE_GROUPS = {
  "/api": "default",
  "/graphql": "default",
  "/rpc": "default",
} as const satisfies Record<string, "default">;

/** The policy of a path, or null when it is not limited. */
export function policyNameFor(path: string): "default" | null {
  for (const [prefix, name] of Object.entries(ROUTE_GROUPS)) {
    if (path === prefix || path.startsWith(`${prefix}/`)) return name;
  }
  return null;
}

type PolicyConfig = Pick<
  Config,
  "RATE_LIMIT_MAX" | "RATE_LIMIT_WINDOW_SECONDS" | "RATE_LIMIT_LEASE_MAX" | "AUTH_BUDGETS"
>;

type Policies = Readonly<Record<PolicyName, Policy>>;

/** A configuration lives as long as its isolate. */
const remembered = new WeakMap<PolicyConfig, Policies>();

/** Made once of each configuration: every request asks. */
export function policiesOf(config: PolicyConfig): Policies {
  const known = remembered.get(config);
  if (known !== undefined) return known;
  const policies = readPolicies(config);
  remembered.set(config, policies);
  return policies;
}

function readPolicies(config: PolicyConfig): Policies {
  const budgets = (Object.keys(AUTH_BUDGET_DEFAULTS) as AuthBudgetName[]).map((name) => {
    const { limit, windowSeconds } = config.AUTH_BUDGETS[name];
    return [name, { name, limit, windowSeconds, leaseMax: null, isShadow: false }] as const;
  });
  return {
    ...(Object.fromEntries(budgets) as Record<AuthBudgetName, Policy>),
    default: {
      name: "default",
      limit: config.RATE_LIMIT_MAX,
      windowSeconds: config.RATE_LIMIT_WINDOW_SECONDS,
      leaseMax: config.RATE_LIMIT_LEASE_MAX ?? null,
      isShadow: false,
    },
  };
}

/** A policy as an ask brings it. */
export function quotaOf(policy: Policy): Quota {
  return { limit: policy.limit, windowMs: policy.windowSeconds * 1000, leaseMax: policy.leaseMax };
}
