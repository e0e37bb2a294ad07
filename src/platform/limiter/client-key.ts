/**
 * Whose budget a request spends: a verified user's id, else the address that Cloudflare saw. `X-Forwarded-For` is
 * never read, for anybody can write it.
 */
import { type IpAddress, isWithin, parseIpAddress } from "../../kernel/ip-address";

/** `user:<id>`, `ip:<address or network>`, or `unknown`. Names the client's object, so never empty. */
export type ClientKey = string;

/** All who come without a readable address share this one. */
export const UNKNOWN_CLIENT: ClientKey = "unknown";

export function userKey(userId: string): ClientKey {
  return `user:${userId}`;
}

/**
 * The key of an address. An IPv6 client owns its /64, so that is the unit; IPv4-mapped IPv6 is the IPv4 address.
 * @param address `CF-Connecting-IP`; absent or unreadable gives `unknown`
 */
export function addressKey(address: string | null | undefined): ClientKey {
  const parsed = clientAddress(address);
  if (parsed === null) return UNKNOWN_CLIENT;
  return parsed.version === 4 ? `ip:${parsed.parts.join(".")}` : `ip:${networkOf(parsed, 4)}/64`;
}

/**
 * The /48 around an IPv6 address, which exact budgets bound as well (at four times the limit), because one customer is
 * often given a whole /48 and could rotate through its 65,536 /64s. Null for anything but IPv6.
 */
export function siteKey(address: string | null | undefined): ClientKey | null {
  const parsed = clientAddress(address);
  return parsed?.version === 6 ? `ip:${networkOf(parsed, 3)}/48` : null;
}

/** The address, an IPv4-mapped one as IPv4. */
function clientAddress(text: string | null | undefined): IpAddress | null {
  const address = parseIpAddress(text?.trim() ?? "");
  if (address === null || !isWithin(address, MAPPED, 96)) return address;
  const [high = 0, low = 0] = address.parts.slice(6);
  return { version: 4, parts: [high >> 8, high & 0xff, low >> 8, low & 0xff] };
}

/** ::ffff:0:0/96. Source: RFC 4291, section 2.5.5.2. */
const MAPPED: IpAddress = { version: 6, parts: [0, 0, 0, 0, 0, 0xffff, 0, 0] };

function networkOf({ parts }: IpAddress, count: number): string {
  return `${parts
    .slice(0, count)
    .map((group) => group.toString(16))
    .join(":")}::`;
}
