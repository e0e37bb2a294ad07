/** Attempts that each auth endpoint allows, by account and by address. */
import { type Budget, type Config, invalidConfiguration } from "../../platform/env";
import { keptFor } from "../../platform/isolate";
import type { Policy } from "../../platform/limiter";

/** The numbers of each budget, unless `AUTH_BUDGETS` has others. */
export const AUTH_BUDGET_DEFAULTS = {
  loginPerAccount: { limit: 10, windowSeconds: 900 },
  loginPerIp: { limit: 50, windowSeconds: 900 },
  signUpPerIp: { limit: 50, windowSeconds: 900 },
  forgotPerAccount: { limit: 5, windowSeconds: 900 },
  forgotPerIp: { limit: 30, windowSeconds: 900 },
  resetPerIp: { limit: 30, windowSeconds: 900 },
  verifyPerIp: { limit: 30, windowSeconds: 900 },
  refreshPerIp: { limit: 300, windowSeconds: 900 },
} as const satisfies Record<string, Budget>;
export type AuthBudgetName = keyof typeof AUTH_BUDGET_DEFAULTS;

export type AuthBudgets = Readonly<Record<AuthBudgetName, Policy>>;

/**
 * Returns the budgets of a configuration as policies.
 * **Errors**: `unavailable` when `AUTH_BUDGETS` names a budget that does not exist.
 */
export const authBudgetsOf = keptFor(readBudgets);

function readBudgets({ AUTH_BUDGETS }: Pick<Config, "AUTH_BUDGETS">): AuthBudgets {
  const names = Object.keys(AUTH_BUDGET_DEFAULTS);
  if (Object.keys(AUTH_BUDGETS).some((name) => !names.includes(name)))
    throw invalidConfiguration(`AUTH_BUDGETS, whose names are ${names.join(", ")}`);
  const budgets = Object.entries({ ...AUTH_BUDGET_DEFAULTS, ...AUTH_BUDGETS }).map(
    ([name, { limit, windowSeconds }]) =>
      [name, { name, limit, windowSeconds, leaseMax: null, isShadow: false }] as const,
  );
  return Object.fromEntries(budgets) as AuthBudgets; // Its names were compared above.
}
