/**
 * Where a webhook may point. An administrator's URL makes our network call it, so it must lead to the internet and
 * nowhere else: checked when it is set, and again at each delivery, for a name may change its address. What remains is
 * a name that changes between our look-up and the connection's own; a deployed Worker has no private network to reach
 * by that, and `global_fetch_strictly_public` keeps it out of its own zone.
 */
import { isAddress, isPublicAddress, isPublicName } from "../../kernel/public-address";
import type { Resolve } from "../../platform/dns";

export interface TargetPolicy {
  /** `WEBHOOK_ALLOW_LOCAL`: for development, any http or https URL. */
  readonly allowLocal: boolean;
  readonly resolve: Resolve;
}

/**
 * Why the URL may not be called, or null when it may.
 * **Errors**: `unavailable` when its name cannot be looked up now.
 */
export async function faultOfTarget(text: string, policy: TargetPolicy): Promise<string | null> {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) return "Must be a URL.";
  if (url.username !== "" || url.password !== "") return "Must not hold credentials.";
  if (url.hash !== "") return "Must not hold a fragment.";
  if (policy.allowLocal) {
    return url.protocol === "https:" || url.protocol === "http:" ? null : "Must be http or https.";
  }
  if (url.protocol !== "https:" || url.port !== "") return "Must be https on port 443.";
  return await faultOfHost(url.hostname, policy.resolve);
}

const NOT_PUBLIC = "Its host is not on the public internet.";

async function faultOfHost(hostname: string, resolve: Resolve): Promise<string | null> {
  const literal = hostname.replace(/^\[|\]$/g, "");
  if (isAddress(literal)) return isPublicAddress(literal) ? null : NOT_PUBLIC;
  const name = hostname.replace(/\.$/, "");
  if (!isPublicName(name)) return NOT_PUBLIC;
  const addresses = await resolve(name);
  if (addresses.length === 0) return "Its host has no address.";
  return addresses.every(isPublicAddress) ? null : NOT_PUBLIC;
}
