import { expect, test } from "vitest";
import { isLimited } from "../../../src/gateway/http/route-groups";

test("every protocol's paths are limited, and operations' are not", () => {
  for (const path of ["/api", "/api/users", "/graphql", "/rpc/users.v1.UserService/GetUser"]) {
    expect([path, isLimited(path)]).toEqual([path, true]);
  }
  for (const path of ["/", "/docs", "/healthz", "/readyz", "/apiary", "/.well-known/jwks.json"]) {
    expect([path, isLimited(path)]).toEqual([path, false]);
  }
});
