/**
 * Whose budget a request spends: a verified user's id, else the address that Cloudflare saw. `X-Forwarded-For` is
 * never read, for anybody can write it.
 */

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
  const parsed = parseAddress(address);
  if (parsed === null) return UNKNOWN_CLIENT;
  return parsed.version === 4 ? `ip:${parsed.text}` : `ip:${networkOf(parsed.groups, 4)}/64`;
}

/**
 * The /48 around an IPv6 address, which auth budgets bound as well (at four times the limit), because one customer is
 * often given a whole /48 and could rotate through its 65,536 /64s. Null for anything but IPv6.
 */
export function siteKey(address: string | null | undefined): ClientKey | null {
  const parsed = parseAddress(address);
  return parsed?.version === 6 ? `ip:${networkOf(parsed.groups, 3)}/48` : null;
}

type ParsedAddress =
  | { readonly version: 4; readonly text: string }
  | { readonly version: 6; readonly groups: readonly number[] };

/** Longest text form: an IPv4-mapped address written out in full. */
const ADDRESS_LENGTH_MAX = 45;
const GROUPS = 8;

function parseAddress(address: string | null | undefined): ParsedAddress | null {
  const text = address?.trim();
  if (!text || text.length > ADDRESS_LENGTH_MAX) return null;
  const v4 = parseIpv4(text);
  if (v4 !== null) return { version: 4, text: v4.join(".") };
  const groups = parseIpv6(text);
  if (groups === null) return null;
  const [, , , , , marker, high = 0, low = 0] = groups;
  const isMapped = marker === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  if (!isMapped) return { version: 6, groups };
  return { version: 4, text: [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".") };
}

function parseIpv4(text: string): readonly number[] | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part))) return null;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}

/** Eight groups of 16 bits, or null. Source: RFC 4291, section 2.2. */
function parseIpv6(text: string): readonly number[] | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0] ?? "");
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? "") : [];
  if (head === null || tail === null) return null;
  const missing = GROUPS - head.length - tail.length;
  if (halves.length === 1) return missing === 0 ? head : null;
  return missing >= 1 ? [...head, ...new Array<number>(missing).fill(0), ...tail] : null;
}

function parseGroups(text: string): readonly number[] | null {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    const v4 = index === parts.length - 1 ? parseIpv4(part) : null;
    if (v4 !== null) {
      const [a = 0, b = 0, c = 0, d = 0] = v4;
      groups.push((a << 8) | b, (c << 8) | d);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return null;
    }
  }
  return groups.length <= GROUPS ? groups : null;
}

function networkOf(groups: readonly number[], count: number): string {
  return `${groups
    .slice(0, count)
    .map((group) => group.toString(16))
    .join(":")}::`;
}
