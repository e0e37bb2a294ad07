import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { createApp } from "../../../../src/gateway/http/app";
import { authBudgetsOf } from "../../../../src/services/auth";
import { wire } from "../../../../src/wiring";

const UNKNOWN = { loginPerPlanet: { limit: 1, windowSeconds: 60 } };

test("each budget has its own numbers, or those of AUTH_BUDGETS", () => {
  const budgets = authBudgetsOf({ AUTH_BUDGETS: { loginPerIp: { limit: 3, windowSeconds: 30 } } });
  expect(budgets.loginPerIp).toMatchObject({ name: "loginPerIp", limit: 3, windowSeconds: 30 });
  expect(budgets.loginPerAccount).toMatchObject({ limit: 10, windowSeconds: 900 });
});

test("a budget that does not exist is refused by the variable's name, with the names that do", () => {
  const read = () => authBudgetsOf({ AUTH_BUDGETS: UNKNOWN });
  expect(read).toThrow(/^configuration is not valid: AUTH_BUDGETS, whose names are loginPerAccount, /);
  expect(read).toThrow(expect.objectContaining({ code: "unavailable" }));
  expect(read).not.toThrow(/Planet/);
});

test("it fails every request, as any other variable does", async () => {
  const bindings = { ...env, AUTH_BUDGETS: JSON.stringify(UNKNOWN) };
  const request = new Request("https://meridian.example/healthz");
  expect((await createApp(wire).fetch(request, bindings, createExecutionContext())).status).toBe(503);
});
