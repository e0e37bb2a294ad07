/** Whose limit it is, and what it is. */
import { isUuid } from "../../../kernel/ids";
import { addressKey, type ClientKey, UNKNOWN_CLIENT, userKey } from "../../../platform/limiter";

/** What `:client` of a path may name. */
export type LimitSubject =
  | { readonly kind: "client"; readonly client: ClientKey }
  | { readonly kind: "plan"; readonly plan: string };

export interface LimitNumbers {
  readonly limit: number;
  readonly windowSeconds: number;
  /** Counts and reports, but refuses nobody. */
  readonly isShadow: boolean;
}

export interface ClientLimit extends LimitNumbers {
  readonly client: ClientKey;
  /** Where the numbers come from. */
  readonly source: "default" | "plan" | "override";
  readonly plan: string | null;
  readonly current: {
    /** Units charged in the window, those leased to isolates and not spent yet included. */
    readonly spent: number;
    readonly remaining: number;
    /** Until the first of them is free again; 0 when none is charged. */
    readonly resetSeconds: number;
    readonly openLeases: number;
  };
}

export interface PlanLimit extends LimitNumbers {
  readonly plan: string;
  readonly clients: readonly ClientKey[];
}

const PLAN = /^[a-z0-9][a-z0-9-]{0,39}$/;

/**
 * Reads `user:<id>` (or the bare id), `ip:<address>` (any address of the network), `unknown` or `plan:<name>`. Null for
 * anything else.
 */
export function parseLimitSubject(text: string): LimitSubject | null {
  const bare = text.startsWith("user:") ? text.slice("user:".length) : text;
  if (isUuid(bare.toLowerCase())) return { kind: "client", client: userKey(bare.toLowerCase()) };
  if (text === UNKNOWN_CLIENT) return { kind: "client", client: UNKNOWN_CLIENT };
  if (text.startsWith("plan:")) return parsePlan(text.slice("plan:".length));
  if (!text.startsWith("ip:")) return null;
  const client = addressKey(text.slice("ip:".length).replace(/\/64$/, ""));
  return client === UNKNOWN_CLIENT ? null : { kind: "client", client };
}

function parsePlan(name: string): LimitSubject | null {
  return PLAN.test(name) ? { kind: "plan", plan: name } : null;
}
