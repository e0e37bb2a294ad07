import { expect, test } from "vitest";
import { newId } from "../../../src/platform/clock";
import type { BudgetSubject } from "../../../src/platform/limiter/budget-target";
import { ExactBudgets, type ExactBudgetsContext } from "../../../src/platform/limiter/exact-budgets";
import { newCalls } from "../../../src/platform/observability/calls";
import { createLogger } from "../../../src/platform/observability/logger";
import { authBudgetsOf } from "../../../src/services/auth";
import type { AuthBudgetName } from "../../../src/services/auth/budgets";
import { realObject } from "../../support/limiter";

const policies = authBudgetsOf({ AUTH_BUDGETS: {} });
const account: BudgetSubject = { kind: "account", id: "ada@example.com" };
const from = (address: string | null): BudgetSubject => ({ kind: "address", address });

function newBudgets(replaced: Partial<ExactBudgetsContext<AuthBudgetName>> = {}) {
  const calls = newCalls();
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  return {
    calls,
    budgets: new ExactBudgets({
      objectOf: realObject,
      shield: async () => true,
      policies,
      newId,
      sleep,
      calls,
      log: createLogger("error"),
      ...replaced,
    }),
  };
}

test("of a thousand wrong guesses at once for one account ten are tried", async () => {
  const { budgets } = newBudgets();
  const guesses = await Promise.all(
    Array.from({ length: 1_000 }, () => budgets.spend("loginPerAccount", account)),
  );
  expect(guesses.filter(({ ok }) => ok)).toHaveLength(10);
  const refused = guesses.find(({ ok }) => !ok);
  if (refused === undefined || refused.ok) throw new Error("nobody was refused");
  expect(refused.refusal).toMatchObject({
    code: "rate_limited",
    extensions: { "violated-policies": [{ policy: "loginPerAccount" }] },
  });
  expect(refused.refusal.retryAfterSeconds).toBeGreaterThanOrEqual(900);
  expect(refused.refusal.retryAfterSeconds).toBeLessThanOrEqual(960);
});

test("a refunded attempt does not count, and a refund counts once", async () => {
  const { budgets } = newBudgets();
  for (let success = 0; success < 25; success += 1) {
    const charged = await budgets.spend("loginPerAccount", account);
    if (!charged.ok) throw new Error("a success was counted as a failure");
    await charged.value.refund();
    await charged.value.refund();
  }
  let failures = 0;
  while ((await budgets.spend("loginPerAccount", account)).ok) failures += 1;
  expect(failures).toBe(10);
});

test("each budget and each key has an object of its own", async () => {
  const { budgets } = newBudgets();
  for (let count = 0; count < 5; count += 1) await budgets.spend("forgotPerAccount", account);
  expect((await budgets.spend("forgotPerAccount", account)).ok).toBe(false);
  expect((await budgets.spend("loginPerAccount", account)).ok).toBe(true);
  expect((await budgets.spend("forgotPerAccount", { kind: "account", id: "bob@example.com" })).ok).toBe(true);
});

test("an IPv6 /64 has the budget, and its /48 four times as much, however the addresses rotate", async () => {
  const { budgets } = newBudgets({
    policies: { ...policies, resetPerIp: { ...policies.resetPerIp, limit: 3 } },
  });
  const spend = async (address: string) => (await budgets.spend("resetPerIp", from(address))).ok;
  const ownNet = [];
  for (let host = 0; host < 4; host += 1) ownNet.push(await spend(`2001:db8:1:1::${host}`));
  expect(ownNet).toEqual([true, true, true, false]);
  let admitted = 3;
  for (let net = 2; net < 20; net += 1) admitted += (await spend(`2001:db8:1:${net}::1`)) ? 1 : 0;
  expect(admitted).toBe(12);
  expect(await spend("2001:db8:2:1::1")).toBe(true);
});

test("who is refused by the /48 is not charged on the /64", async () => {
  const { budgets } = newBudgets({
    policies: { ...policies, resetPerIp: { ...policies.resetPerIp, limit: 1 } },
  });
  for (let net = 1; net <= 4; net += 1) await budgets.spend("resetPerIp", from(`2001:db8:1:${net}::1`));
  expect((await budgets.spend("resetPerIp", from("2001:db8:1:9::1"))).ok).toBe(false);
  const report = await realReport("resetPerIp|ip:2001:db8:1:9::/64");
  expect(report.window?.spent).toBe(0);
});

test("when one of the two objects fails, the other is not charged", async () => {
  const broken = async (): Promise<never> => {
    throw new Error("broken");
  };
  const { budgets } = newBudgets({
    objectOf: (name) => (name.endsWith("/48") ? { ask: broken, revoke: broken } : realObject(name)),
  });
  await expect(budgets.spend("resetPerIp", from("2001:db8:1:9::1"))).rejects.toMatchObject({
    code: "unavailable",
  });
  const report = await realReport("resetPerIp|ip:2001:db8:1:9::/64");
  expect(report.window?.spent).toBe(0);
});

test("all who come without an address share one budget", async () => {
  const { budgets } = newBudgets();
  for (let count = 0; count < 30; count += 1) await budgets.spend("verifyPerIp", from(null));
  expect((await budgets.spend("verifyPerIp", from("not an address"))).ok).toBe(false);
});

test("when the object fails or is silent, the budget refuses as unavailable", async () => {
  const broken = async (): Promise<never> => {
    throw new Error("broken");
  };
  const failing = newBudgets({ objectOf: () => ({ ask: broken, revoke: broken }) });
  await expect(failing.budgets.spend("loginPerIp", from("192.0.2.1"))).rejects.toMatchObject({
    code: "unavailable",
  });
  const never = () => new Promise<never>(() => undefined);
  const silent = newBudgets({
    objectOf: () => ({ ask: never, revoke: never }),
    sleep: async () => undefined,
  });
  await expect(silent.budgets.spend("loginPerIp", from("192.0.2.1"))).rejects.toMatchObject({
    code: "unavailable",
  });
});

async function realReport(name: string) {
  const { env } = await import("cloudflare:workers");
  return await env.CLIENT_LIMITER.getByName(name).report();
}
