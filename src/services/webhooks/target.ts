/**
 * Where a webhook may point. An administrator's URL makes our network call it, so it must lead to the internet and
 * nowhere else: checked when it is set, and again at each delivery, because a name may change its address. What remains
 * is a name that changes between our look-up and the connection's own; a deployed Worker has no private network to
 * reach by that.
 *
 * DANGER: a call to a host of the Worker's own zone skips Cloudflare's front door and reaches the zone's origin server,
 * with no firewall and no login in between. So hosts of the Worker itself and of `deniedDomains` are refused by name.
 * Source: workerd, compatibility-date.capnp, `globalFetchStrictlyPublic`. That flag would close the gap in the platform,
 * but makes every D1 session hang (decision 0063).
 */
import { hostOf, isWithinDomain } from "../../kernel/host-name";
import { parseIpAddress } from "../../kernel/ip-address";
import { isPublicAddress, isPublicName } from "../../kernel/public-address";
import type { Resolve } from "../../platform/dns";

export interface TargetPolicy {
  /** `WEBHOOK_ALLOW_LOCAL`: for development, any http or https URL but those of `deniedDomains`. */
  readonly allowLocal: boolean;
  /** `PUBLIC_URL`. Its host and the subdomains of it are refused. */
  readonly publicUrl: string;
  /** `WEBHOOK_DENIED_DOMAINS`, as `parseHostName` returns them. Refused with their subdomains. */
  readonly deniedDomains: readonly string[];
  readonly resolve: Resolve;
}

/**
 * Returns why the URL may not be called, or null when it may.
 * **Errors**: `unavailable` when its name cannot be looked up now.
 */
export async function faultOfTarget(text: string, policy: TargetPolicy): Promise<string | null> {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) return "Must be a URL.";
  if (url.username !== "" || url.password !== "") return "Must not hold credentials.";
  if (url.hash !== "") return "Must not hold a fragment.";
  const host = hostOf(url);
  if (isDenied(host, policy)) return "Its host belongs to this service or is denied by its operator.";
  if (policy.allowLocal) {
    return url.protocol === "https:" || url.protocol === "http:" ? null : "Must be http or https.";
  }
  if (url.protocol !== "https:" || url.port !== "") return "Must be https on port 443.";
  return await faultOfHost(host, policy.resolve);
}

/**
 * A `PUBLIC_URL` on this machine or a private network denies nothing: in development the receiver has the same host.
 * Where local targets are not allowed, `faultOfHost` refuses it like any other.
 */
function isDenied(host: string, { publicUrl, deniedDomains }: TargetPolicy): boolean {
  const own = hostOf(new URL(publicUrl));
  const denied = isPublicHost(own) ? [own, ...deniedDomains] : deniedDomains;
  return denied.some((domain) => isWithinDomain(host, domain));
}

const NOT_PUBLIC = "Its host is not on the public internet.";

async function faultOfHost(host: string, resolve: Resolve): Promise<string | null> {
  if (!isPublicHost(host)) return NOT_PUBLIC;
  if (parseIpAddress(host) !== null) return null;
  const addresses = await resolve(host);
  if (addresses.length === 0) return "Its host has no address.";
  return addresses.every(isPublicAddress) ? null : NOT_PUBLIC;
}

/** Whether an address is public, or a name may lead to a public one. */
function isPublicHost(host: string): boolean {
  return parseIpAddress(host) === null ? isPublicName(host) : isPublicAddress(host);
}
