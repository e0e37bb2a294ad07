import { expect, test } from "vitest";
import { AUTH_BUDGET_DEFAULTS } from "../../../../src/platform/env";
import { policiesOf, policyNameFor } from "../../../../src/platform/limiter/policies";

test("every protocol's paths are limited, and operations' are not", () => {
  for (const path of ["/api", "/api/users", "/graphql", "/rpc/users.v1.UserService/GetUser"]) {
    expect([path, policyNameFor(path)]).toEqual([path, "default"]);
  }
  for (const path of ["/", "/docs", "/healthz", "/readyz", "/apiary", "/.well-known/jwks.json"]) {
    expect([path, policyNameFor(path)]).toEqual([path, null]);
  }
});

test("the table has the configured numbers of the limit and of each budget", () => {
  const policies = policiesOf({
    RATE_LIMIT_MAX: 7,
    RATE_LIMIT_WINDOW_SECONDS: 60,
    RATE_LIMIT_LEASE_MAX: 2,
    AUTH_BUDGETS: { ...AUTH_BUDGET_DEFAULTS, loginPerIp: { limit: 3, windowSeconds: 30 } },
  });
  expect(policies.default).toEqual({
    name: "default",
    limit: 7,
    windowSeconds: 60,
    leaseMax: 2,
    isShadow: false,
  });
  expect(policies.loginPerIp).toMatchObject({ name: "loginPerIp", limit: 3, windowSeconds: 30 });
  expect(policies.loginPerAccount).toMatchObject({ limit: 10, windowSeconds: 900 });
});
