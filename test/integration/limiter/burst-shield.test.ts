import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { shieldOf } from "../../../src/platform/limiter/burst-shield";
import { createLogger } from "../../../src/platform/observability/logger";
import { DEFAULT_POLICY, newIsolate } from "../../support/limiter";

const policy = DEFAULT_POLICY;
const log = createLogger("error");

/** A binding that counts by key and lets so many pass. */
function counting(limit: number) {
  const counts = new Map<string, number>();
  return {
    counts,
    limit: async ({ key }: { key: string }) => {
      counts.set(key, (counts.get(key) ?? 0) + 1);
      return { success: (counts.get(key) ?? 0) <= limit };
    },
  };
}

test("asks for one object are bounded by its name, and all strangers' together, users not", async () => {
  const own = counting(1_000);
  const strangers = counting(3);
  const shield = shieldOf({ ASK_SHIELD: own, STRANGER_SHIELD: strangers }, log);
  const passed = [];
  for (const name of [
    "ip:192.0.2.1",
    "unknown",
    "loginPerAccount|account:x",
    "ip:192.0.2.2",
    "user:1",
    "user:2",
  ]) {
    passed.push(await shield(name));
  }
  expect(passed).toEqual([true, true, true, false, true, true]);
  expect([...strangers.counts.keys()]).toEqual(["strangers"]);
  await shield("");
  expect(own.counts.has("")).toBe(false);
});

test("requests served from memory never meet the shield", async () => {
  const asked = counting(1_000);
  const { limiter } = newIsolate({
    shield: shieldOf({ ASK_SHIELD: asked, STRANGER_SHIELD: counting(1_000) }, log),
  });
  for (let count = 0; count < 15; count += 1) await limiter.admit({ clientKey: "user:1", policy });
  expect(asked.counts.get("user:1")).toBe(4);
  await Promise.all(Array.from({ length: 500 }, () => limiter.admit({ clientKey: "user:1", policy })));
  expect(asked.counts.get("user:1")).toBeLessThanOrEqual(7);
});

test("what the shield refuses looks like the limiter's refusal and does not reach the object", async () => {
  const { limiter, calls } = newIsolate({ shield: async () => false });
  const all = await Promise.all([1, 2, 3].map(() => limiter.admit({ clientKey: "ip:192.0.2.1", policy })));
  for (const admission of all) {
    expect(admission).toMatchObject({
      outcome: "refused",
      remaining: 0,
      retryAfterSeconds: 10,
      violatedPolicy: "burst",
    });
  }
  expect(calls.objectCalls).toBe(0);
});

test("a shield that fails lets pass", async () => {
  const broken = { limit: async () => Promise.reject(new Error("broken")) };
  expect(await shieldOf({ ASK_SHIELD: broken, STRANGER_SHIELD: broken }, log)("unknown")).toBe(true);
});

test("the bindings of wrangler.toml are there and let an ordinary ask pass", async () => {
  const shield = shieldOf(env, log);
  expect(await Promise.all([shield("user:1"), shield("ip:192.0.2.1")])).toEqual([true, true]);
});
