/** What a limit is, and the one that guards every limited request. */
import type { Config } from "../env";
import { keptFor } from "../isolate";
import type { Quota } from "./lease-rule";

/** The burst shield, which may refuse in place of any policy. Not a quota: approximate, and per location. */
export const BURST_POLICY = "burst";

export interface Policy {
  /** As in the RateLimit fields and in a problem's `violated-policies`. */
  readonly name: string;
  readonly limit: number;
  readonly windowSeconds: number;
  /** Largest lease; null for a tenth of the limit. */
  readonly leaseMax: number | null;
  /** Counts and reports, but refuses nobody. */
  readonly isShadow: boolean;
}

/** Returns the policy `default` of a configuration. It is kept, because every request needs it. */
export const defaultPolicyOf = keptFor(
  (
    config: Pick<Config, "RATE_LIMIT_MAX" | "RATE_LIMIT_WINDOW_SECONDS" | "RATE_LIMIT_LEASE_MAX">,
  ): Policy => ({
    name: "default",
    limit: config.RATE_LIMIT_MAX,
    windowSeconds: config.RATE_LIMIT_WINDOW_SECONDS,
    leaseMax: config.RATE_LIMIT_LEASE_MAX ?? null,
    isShadow: false,
  }),
);

/** A policy as an ask brings it. */
export function quotaOf(policy: Policy): Quota {
  return { limit: policy.limit, windowMs: policy.windowSeconds * 1000, leaseMax: policy.leaseMax };
}
