/** Which network addresses a stranger may make us call: those that are routed on the internet, and no others. Pure. */

import { type IpAddress, isWithin, parseIpAddress } from "./ip-address";

type Network = readonly [network: string, bits: number];

/** Everything that is not global unicast. Source: IANA IPv4 Special-Purpose Address Registry. */
const IPV4_BLOCKED: readonly Network[] = [
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

/** The one block of global unicast. Source: IANA IPv6 Global Unicast Address Assignments. */
const IPV6_GLOBAL: readonly Network[] = [["2000::", 3]];

/** What is not public in it. Source: IANA IPv6 Special-Purpose Address Registry. */
const IPV6_BLOCKED: readonly Network[] = [
  // Teredo and other protocol assignments: they embed IPv4 addresses that anyone may choose.
  ["2001::", 23],
  ["2001:db8::", 32],
  // 6to4 embeds one as well.
  ["2002::", 16],
  ["3fff::", 20],
];

/** Whether an address is routed on the internet. What cannot be read is not public. */
export function isPublicAddress(text: string): boolean {
  const address = parseIpAddress(text);
  if (address === null) return false;
  if (address.version === 4) return !isInAny(address, IPV4_BLOCKED);
  return isInAny(address, IPV6_GLOBAL) && !isInAny(address, IPV6_BLOCKED);
}

function isInAny(address: IpAddress, networks: readonly Network[]): boolean {
  return networks.some(([network, bits]) => {
    const parsed = parseIpAddress(network);
    return parsed !== null && isWithin(address, parsed, bits);
  });
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
