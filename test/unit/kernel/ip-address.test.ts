import { expect, test } from "vitest";
import { isWithin, parseIpAddress } from "../../../src/kernel/ip-address";

test.each([
  ["192.0.2.7", { version: 4, parts: [192, 0, 2, 7] }],
  ["::", { version: 6, parts: [0, 0, 0, 0, 0, 0, 0, 0] }],
  ["2001:DB8::1", { version: 6, parts: [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1] }],
  ["1:2:3:4:5:6:7:8", { version: 6, parts: [1, 2, 3, 4, 5, 6, 7, 8] }],
  ["::ffff:192.0.2.7", { version: 6, parts: [0, 0, 0, 0, 0, 0xffff, 0xc000, 0x207] }],
])("%s is read", (text, address) => {
  expect(parseIpAddress(text)).toEqual(address);
});

test.each([
  ...["", "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", "010.0.0.1", "0x7f.0.0.1", " 1.1.1.1"],
  ...["1::2::3", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "g::1", "fe80::1%eth0", "[::1]"],
  ...["1.2.3.4::", "::1.2.3.4:5", "1:".repeat(40)],
])("%j is no address", (text) => {
  expect(parseIpAddress(text)).toBeNull();
});

test.each([
  ["10.255.0.1", "10.0.0.0", 8, true],
  ["11.0.0.1", "10.0.0.0", 8, false],
  ["172.31.255.255", "172.16.0.0", 12, true],
  ["172.32.0.0", "172.16.0.0", 12, false],
  ["2001:1ff:ffff::", "2001::", 23, true],
  ["2001:200::", "2001::", 23, false],
  ["3fff::1", "2000::", 3, true],
  ["4000::1", "2000::", 3, false],
  ["0.0.0.1", "::", 1, false],
  ["::1", "0.0.0.0", 1, false],
] as const)("%s within %s/%d: %s", (address, network, bits, expected) => {
  const [inner, outer] = [parseIpAddress(address), parseIpAddress(network)];
  expect(inner !== null && outer !== null && isWithin(inner, outer, bits)).toBe(expected);
});
