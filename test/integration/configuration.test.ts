import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { createApp } from "../../src/gateway/http/app";
import { wire } from "../../src/wiring";

const app = createApp(wire);

async function fetchWith(vars: Record<string, string>, path: string, init?: RequestInit) {
  const request = new Request(`https://meridian.example${path}`, init);
  const response = await app.fetch(request, { ...env, ...vars }, createExecutionContext());
  return { response, json: JSON.parse(await response.text()) };
}

test("a wrong variable is 503 on every path, in its protocol; the log names it and not its value", async () => {
  const log = vi.spyOn(console, "error").mockReturnValue();
  const vars = { RATE_LIMIT_MAX: "plenty", CORS_ORIGINS: "anywhere" };
  const post = { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" };
  const rest = await fetchWith(vars, "/api/products");
  const health = await fetchWith(vars, "/healthz");
  const graphql = await fetchWith(vars, "/graphql", post);
  const rpc = await fetchWith(vars, "/rpc/users.v1.UserService/GetUser", post);

  for (const { response } of [rest, health, graphql, rpc]) {
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "60"]);
  }
  expect([rest.json.code, health.json.code]).toEqual(["unavailable", "unavailable"]);
  expect(graphql.json.errors[0].extensions.code).toBe("unavailable");
  expect(rpc.json.code).toBe("unavailable");
  expect(rpc.json.type).toBeUndefined();

  const logged = log.mock.calls.flat().join("\n");
  expect(logged).toContain("configuration is not valid: CORS_ORIGINS, RATE_LIMIT_MAX");
  expect(logged).not.toMatch(/plenty|anywhere/);
  log.mockRestore();
});
