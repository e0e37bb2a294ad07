/** Host names in the one form in which they can be compared: lower case, punycode, no dot at the end. Pure. */
import { parseIpAddress } from "./ip-address";
import { HOST_NAME } from "./schema";

/** What `URL` would read as something else than a host, or drop. */
const NOT_OF_A_NAME = /[\s/\\:@?#%*[\]]/;

/**
 * Parses a host name that a person wrote: in any case, with or without a dot at its end, IDN in Unicode or punycode.
 * Returns null for anything else: a scheme, port, path, wildcard or address.
 */
export function parseHostName(text: string): string | null {
  if (NOT_OF_A_NAME.test(text) || !URL.canParse(`https://${text}`)) return null;
  const host = hostOf(new URL(`https://${text}`));
  return HOST_NAME.test(host) && parseIpAddress(host) === null ? host : null;
}

/** Returns a URL's host, without its port: a name without a dot at its end, or an address without brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$|\.+$/g, "");
}

/** Whether the host is the domain or one of its subdomains. Both are in the form of `hostOf`. */
export function isWithinDomain(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}
