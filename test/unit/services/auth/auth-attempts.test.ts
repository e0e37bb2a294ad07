import { expect, test } from "vitest";
import { AppError, done, refuse } from "../../../../src/kernel/errors";
import { Deriver } from "../../../../src/platform/deriver";
import type { ExactBudgets } from "../../../../src/platform/limiter";
import { AuthAttempts } from "../../../../src/services/auth/auth-attempts";
import type { AuthBudgetName } from "../../../../src/services/auth/budgets";
import { testScope } from "../../../support/scope";

/** Budgets of which those of accounts do something else than charge. */
function attemptsWith(accountBudget: () => Promise<never> | ReturnType<typeof refuse>) {
  const refunded: string[] = [];
  const budgets: Pick<ExactBudgets<AuthBudgetName>, "spend"> = {
    spend: async (name, subject) =>
      subject.kind === "account"
        ? await accountBudget()
        : done({ refund: async () => void refunded.push(name) }),
  };
  const attempts = new AuthAttempts(
    budgets as ExactBudgets<AuthBudgetName>,
    new Deriver("A".repeat(43)),
    testScope(),
  );
  const begin = () =>
    attempts.begin([
      ["loginPerIp", "caller"],
      ["loginPerAccount", { account: "ada@example.com" }],
    ]);
  return { begin, refunded };
}

test("an attempt that one budget refuses is charged to none", async () => {
  const { begin, refunded } = attemptsWith(() => refuse("rate_limited", "No."));
  expect(await begin()).toMatchObject({ ok: false, refusal: { code: "rate_limited" } });
  expect(refunded).toEqual(["loginPerIp"]);
});

test("nor is one whose other budget cannot be asked", async () => {
  const { begin, refunded } = attemptsWith(async () => {
    throw new AppError("unavailable", "the object is silent");
  });
  await expect(begin()).rejects.toMatchObject({ code: "unavailable" });
  expect(refunded).toEqual(["loginPerIp"]);
});
