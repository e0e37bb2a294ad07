import { expect, test } from "vitest";
import { faultOfTarget, type TargetPolicy } from "../../../../src/services/webhooks/target";

const DENIED = "Its host belongs to this service or is denied by its operator.";

function faultOf(url: string, policy: Partial<TargetPolicy> = {}) {
  return faultOfTarget(url, {
    allowLocal: false,
    publicUrl: "https://api.example.com",
    deniedDomains: ["example.net", "xn--bcher-kva.example"],
    resolve: async () => ["93.184.215.14"],
    ...policy,
  });
}

test.each([
  "https://api.example.com/",
  "https://api.example.com/api/users",
  "https://API.Example.com/",
  "https://api.example.com./",
  "https://api.example.com../",
  "https://api%2Eexample.com/",
  "https://hooks.api.example.com/",
  "https://example.net/",
  "https://deep.below.example.net/",
  "https://EXAMPLE.NET./",
  "https://bücher.example/",
  "https://www.xn--bcher-kva.example/",
])("a webhook may not lead back to this service: %s", async (url) => {
  const resolve = () => Promise.reject(new Error("looked up all the same"));
  expect(await faultOf(url, { resolve })).toBe(DENIED);
});

test.each([
  "https://example.com/",
  "https://www.example.com/",
  "https://my-api.example.com/",
  "https://api.example.com.evil.org/",
  "https://notexample.net/",
  "https://example.org/",
])("parents and neighbours of a denied domain stay allowed: %s", async (url) => {
  expect(await faultOf(url)).toBeNull();
});

test.each([
  "https://api.example.com:8443",
  "https://api.example.com/behind/a/path",
  "https://API.example.com.",
  "http://api.example.com",
])("of a PUBLIC_URL such as %s only the host counts", async (publicUrl) => {
  expect(await faultOf("https://api.example.com/", { publicUrl })).toBe(DENIED);
  expect(await faultOf("https://example.com/", { publicUrl })).toBeNull();
});

test("a PUBLIC_URL that is an address is denied as one", async () => {
  const policy = { publicUrl: "https://[2606:4700::1111]" };
  expect(await faultOf("https://[2606:4700:0::1111]/", policy)).toBe(DENIED);
  expect(await faultOf("https://[2606:4700::1112]/", policy)).toBeNull();
});

test("in development a receiver on this machine is allowed, and a denied domain is not", async () => {
  const policy = { allowLocal: true, publicUrl: "http://localhost:8787" };
  for (const url of ["http://localhost:9999/hook", "http://localhost:8787/", "http://127.0.0.1:9/"])
    expect(await faultOf(url, policy)).toBeNull();
  expect(await faultOf("http://hooks.example.net:8080/", policy)).toBe(DENIED);
  expect(await faultOf("https://api.example.com/", { allowLocal: true })).toBe(DENIED);
});

test("without that permission a PUBLIC_URL on this machine is refused like any local host", async () => {
  const policy = { publicUrl: "http://localhost:8787" };
  expect(await faultOf("https://localhost/", policy)).toBe("Its host is not on the public internet.");
});
