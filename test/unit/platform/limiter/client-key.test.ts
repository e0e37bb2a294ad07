import { expect, test } from "vitest";
import { addressKey, siteKey, UNKNOWN_CLIENT, userKey } from "../../../../src/platform/limiter/client-key";

test("a verified user is its id, wherever it calls from", () => {
  expect(userKey("0192")).toBe("user:0192");
});

test("a stranger is its IPv4 address, also when it comes mapped into IPv6", () => {
  expect(addressKey("192.0.2.7")).toBe("ip:192.0.2.7");
  expect(addressKey("::ffff:192.0.2.7")).toBe("ip:192.0.2.7");
  expect(addressKey("::FFFF:c000:0207")).toBe("ip:192.0.2.7");
  expect(addressKey("0:0:0:0:0:ffff:192.0.2.7")).toBe("ip:192.0.2.7");
  expect(siteKey("::ffff:192.0.2.7")).toBeNull();
  expect(siteKey("192.0.2.7")).toBeNull();
});

test("all addresses of an IPv6 /64 are one client, and of a /48 one site", () => {
  const spellings = [
    "2001:db8:1:2::1",
    "2001:0DB8:0001:0002:ffff::",
    "2001:db8:1:2:3:4:5:6",
    "2001:db8:1:2::192.0.2.1",
  ];
  expect(new Set(spellings.map(addressKey))).toEqual(new Set(["ip:2001:db8:1:2::/64"]));
  expect(new Set(spellings.map(siteKey))).toEqual(new Set(["ip:2001:db8:1::/48"]));
  expect(addressKey("2001:db8:1:3::1")).not.toBe(addressKey("2001:db8:1:2::1"));
  expect(siteKey("2001:db8:1:3::1")).toBe(siteKey("2001:db8:1:2::1"));
  expect(addressKey("::1")).toBe("ip:0:0:0:0::/64");
});

test("no address and no readable address share one key, so that garbage makes no objects", () => {
  const unreadable = [
    null,
    undefined,
    "",
    "  ",
    "localhost",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "01.2.3.4",
    "1::2::3",
    ":::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "12345::",
    "g::1",
    "fe80::1%eth0",
    "1.2.3.4, 5.6.7.8",
    "::1.2.3.4:5",
    "1:".repeat(40),
  ];
  for (const address of unreadable) {
    expect([address, addressKey(address)]).toEqual([address, UNKNOWN_CLIENT]);
    expect(siteKey(address)).toBeNull();
  }
});
