/** Whose limit it is, and what it is. */
import { isUuid } from "../../../kernel/ids";
import { addressKey, type ClientKey, UNKNOWN_CLIENT, userKey } from "../../../platform/limiter";

/** What `:client` of a path may name. */
export type LimitSubject =
  | { readonly kind: "client"; readonly client: ClientKey }
  | { readonly kind: "plan"; readonly plan: string };

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
