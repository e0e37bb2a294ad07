import { expect, test } from "vitest";
import { isPublicAddress, isPublicName } from "../../../src/kernel/public-address";

test.each([
  "127.0.0.1",
  "10.1.2.3",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "169.254.169.254",
  "100.64.0.1",
  "0.0.0.0",
  "198.18.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:7f00:1",
  "64:ff9b::7f00:1",
  "fe80::1",
  "fc00::1",
  "fd12:3456::1",
  "ff02::1",
  "2001:db8::1",
  "2001:0:7f00:1::",
  "2002:7f00:1::",
  "::ffff:127.0.0.1",
  "fe80::1%eth0",
  "999.1.1.1",
  "1:2:3:4:5:6:7:8:9",
  "2606::1::2",
  "localhost",
  "",
])("%s is not on the public internet", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each([
  "1.1.1.1",
  "8.8.8.8",
  "172.15.0.1",
  "172.32.0.1",
  "100.128.0.1",
  "2606:4700:4700::1111",
  "2a00:1450:4001:81b::200e",
])("%s is", (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each([
  "localhost",
  "api.localhost",
  "printer.local",
  "db.internal",
  "a.home.arpa",
  "x.test",
  "intranet",
  "",
])("the name %s is refused before anybody is asked for its address", (name) => {
  expect(isPublicName(name)).toBe(false);
});

test.each(["example.com", "localhost.example.com", "mylocal.net", "internal.dev"])(
  "the name %s may lead to the internet",
  (name) => {
    expect(isPublicName(name)).toBe(true);
  },
);
