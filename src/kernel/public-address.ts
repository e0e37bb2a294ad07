/** Which network addresses a stranger may make us call: those that are routed on the internet, and no others. Pure. */

/** Everything that is not global unicast. Source: IANA IPv4 Special-Purpose Address Registry. */
const IPV4_BLOCKED: readonly (readonly [network: string, bits: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

/** Within 2000::/3, the one block of global unicast. Source: IANA IPv6 Special-Purpose Address Registry. */
const IPV6_BLOCKED: readonly (readonly [network: string, bits: number])[] = [
  // Teredo and other protocol assignments: they embed IPv4 addresses of anybody's choice.
  ["2001::", 23],
  ["2001:db8::", 32],
  // 6to4 embeds one as well.
  ["2002::", 16],
  ["3fff::", 20],
];

/** @param text an address in the form that `URL` and DNS answers give it; what cannot be read is not public */
export function isPublicAddress(text: string): boolean {
  const v4 = parseIpv4(text);
  if (v4 !== null) return !IPV4_BLOCKED.some(([network, bits]) => isWithin(v4, parseIpv4(network), bits));
  const v6 = parseIpv6(text);
  if (v6 === null || !isWithin(v6, parseIpv6("2000::"), 3)) return false;
  return !IPV6_BLOCKED.some(([network, bits]) => isWithin(v6, parseIpv6(network), bits));
}

/** True for a literal address of either family, public or not. */
export function isAddress(text: string): boolean {
  return parseIpv4(text) !== null || parseIpv6(text) !== null;
}

/**
 * Names that never lead to the internet, so that no look-up is needed to refuse them.
 * Source: RFC 6761 (localhost, invalid, test), RFC 6762 (local), RFC 8375 (home.arpa), ICANN (internal).
 */
const PRIVATE_NAME = /(?:^|\.)(?:localhost|local|internal|invalid|test|home\.arpa)$/;

/** @param name a host in the form that `URL` gives it, without a dot at its end; one of a single label is a private one */
export function isPublicName(name: string): boolean {
  return name.includes(".") && !PRIVATE_NAME.test(name);
}

function parseIpv4(text: string): number[] | null {
  if (!/^(?:[0-9]{1,3}\.){3}[0-9]{1,3}$/.test(text)) return null;
  const bytes = text.split(".").map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}

/** Without zones and dotted tails, which no public address needs. */
function parseIpv6(text: string): number[] | null {
  const halves = text.split("::");
  if (!/^[0-9a-f:]{2,39}$/i.test(text) || halves.length > 2) return null;
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...Array<string>(Math.max(0, missing)).fill("0"), ...tail];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
  return groups.flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}

function isWithin(address: readonly number[], network: readonly number[] | null, bits: number): boolean {
  if (network === null) return false;
  return network.every((byte, index) => {
    const relevant = Math.min(8, Math.max(0, bits - index * 8));
    const mask = (0xff << (8 - relevant)) & 0xff;
    return ((address[index] ?? 0) & mask) === (byte & mask);
  });
}
