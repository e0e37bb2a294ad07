/** IP addresses as numbers. Pure. */

/** Four bytes of IPv4, or eight groups of 16 bits of IPv6. */
export interface IpAddress {
  readonly version: 4 | 6;
  readonly parts: readonly number[];
}

/** Longest text form: an IPv4-mapped address written out in full. */
const LENGTH_MAX = 45;
const GROUPS = 8;

/**
 * Parses an address of either family, without brackets and zone; null for anything else. Leading zeros in IPv4 are
 * refused, because some readers take them for octal. Source: RFC 4291, section 2.2; RFC 6943, section 3.1.1.
 */
export function parseIpAddress(text: string): IpAddress | null {
  if (text.length > LENGTH_MAX) return null;
  const bytes = parseIpv4(text);
  if (bytes !== null) return { version: 4, parts: bytes };
  const groups = parseIpv6(text);
  return groups === null ? null : { version: 6, parts: groups };
}

/** Whether the first `bits` of both are the same; false when they are of different families. */
export function isWithin(address: IpAddress, network: IpAddress, bits: number): boolean {
  const width = address.version === 4 ? 8 : 16;
  return (
    address.version === network.version &&
    network.parts.every((part, index) => {
      const ignored = width - Math.min(width, Math.max(0, bits - index * width));
      return (address.parts[index] ?? 0) >> ignored === part >> ignored;
    })
  );
}

function parseIpv4(text: string): readonly number[] | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part))) return null;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}

function parseIpv6(text: string): readonly number[] | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const isWhole = halves.length === 1;
  const head = parseGroups(halves[0] ?? "", isWhole);
  const tail = isWhole ? [] : parseGroups(halves[1] ?? "", true);
  if (head === null || tail === null) return null;
  const missing = GROUPS - head.length - tail.length;
  if (isWhole) return missing === 0 ? head : null;
  return missing >= 1 ? [...head, ...new Array<number>(missing).fill(0), ...tail] : null;
}

/** @param isEnd of the whole address: the last two groups may be written as IPv4 */
function parseGroups(text: string, isEnd: boolean): readonly number[] | null {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    const v4 = isEnd && index === parts.length - 1 ? parseIpv4(part) : null;
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
