import { expect, test } from "vitest";
import { hostOf, isWithinDomain, parseHostName } from "../../../src/kernel/host-name";

test.each([
  ["example.com", "example.com"],
  ["API.Example.COM", "api.example.com"],
  ["example.com.", "example.com"],
  ["bücher.example", "xn--bcher-kva.example"],
  ["xn--bcher-kva.example", "xn--bcher-kva.example"],
  ["intranet", "intranet"],
])("the host name %s is read as %s", (written, expected) => {
  expect(parseHostName(written)).toBe(expected);
});

test.each([
  "",
  ".",
  "https://example.com",
  "example.com/",
  "example.com/path",
  "example.com:443",
  "example.com:",
  "user@example.com",
  "@example.com",
  "*.example.com",
  "exa%6dple.com",
  "example.com?",
  "example .com",
  "example\t.com",
  ".example.com",
  "example..com",
  "-example.com",
  `${"a".repeat(64)}.example`,
  "127.0.0.1",
  "0x7f.1",
  "[::1]",
  "::1",
])("%j is no host name", (written) => {
  expect(parseHostName(written)).toBeNull();
});

test.each([
  ["https://Api.Example.com.:8443/path", "api.example.com"],
  ["https://bücher.example", "xn--bcher-kva.example"],
  ["https://[2606:4700::1111]/", "2606:4700::1111"],
  ["http://127.0.0.1:8787", "127.0.0.1"],
])("the host of %s is %s", (url, expected) => {
  expect(hostOf(new URL(url))).toBe(expected);
});

test("a domain holds itself and its subdomains, but no parent and no name that only ends alike", () => {
  const within = (host: string) => isWithinDomain(host, "api.example.com");
  expect(["api.example.com", "v2.api.example.com"].map(within)).toEqual([true, true]);
  expect(["example.com", "www.example.com", "my-api.example.com"].map(within)).toEqual([false, false, false]);
});
