import { expect, test } from "vitest";
import { defaultPolicyOf } from "../../../../src/platform/limiter";

test("the policy of every request has the configured numbers", () => {
  const config = { RATE_LIMIT_MAX: 7, RATE_LIMIT_WINDOW_SECONDS: 60, RATE_LIMIT_LEASE_MAX: 2 };
  expect(defaultPolicyOf(config)).toEqual({
    name: "default",
    limit: 7,
    windowSeconds: 60,
    leaseMax: 2,
    isShadow: false,
  });
});
