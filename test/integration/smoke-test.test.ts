/** The smoke test of a gradual rollout, against the Worker as it is. */
import { env, exports } from "cloudflare:workers";
import { expect, test } from "vitest";
import { smokeTest } from "../../scripts/rollout/smoke-test.mjs";

const ADDRESS = "https://meridian.example";

function means() {
  const calls: string[] = [];
  return {
    calls,
    interrupted: new AbortController().signal,
    sleep: async () => undefined,
    async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
      const request = new Request(String(input), init);
      calls.push(`${request.method} ${new URL(request.url).pathname}`);
      return await exports.default.fetch(request);
    },
  };
}

test("the Worker passes the smoke test that a rollout makes of it", async () => {
  const played = means();
  await smokeTest(played, { address: ADDRESS, worker: "meridian", version: env.VERSION.id });
  expect(played.calls.slice(3)).toEqual([
    "POST /api/auth/login",
    "GET /api/products",
    "GET /api/products",
    "GET /readyz",
  ]);
});

test("it does not pass for another version", async () => {
  const other = { address: ADDRESS, worker: "meridian", version: "6c1ffbc0-6d1d-4a9e-8e6b-0f7e5a1d2c3b" };
  await expect(smokeTest(means(), other)).rejects.toThrow(`answered with version ${env.VERSION.id}`);
});
