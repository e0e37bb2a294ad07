import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { ERROR_CODES } from "../../src/kernel/errors";
import { createAccount } from "../support/accounts";
import { call } from "../support/client";
import { sendCounted } from "../support/counted-app";

describe("the router's own answers", () => {
  test("an unknown path is a problem document, under /api and beside it", async () => {
    for (const path of ["/nowhere", "/api/nowhere", "/api", "/api/users/x/y"]) {
      const answer = await call(path);
      expect([path, answer.status, answer.json.code]).toEqual([path, 404, "not_found"]);
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      expect(answer.json).toMatchObject({ type: "/problems/not_found", status: 404, instance: path });
    }
  });

  test("a known path with another method is 405 and lists those that work", async () => {
    const answer = await call("/api/users", { method: "DELETE" });
    expect([answer.status, answer.json.code]).toEqual([405, "method_not_allowed"]);
    expect(answer.headers.get("allow")).toBe("GET, POST, HEAD, OPTIONS");
    const health = await call("/healthz", { method: "POST" });
    expect([health.status, health.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
  });

  test("OPTIONS says which methods work and spends nothing", async () => {
    const answer = await call("/api/users", { method: "OPTIONS" });
    expect([answer.status, answer.headers.get("allow")]).toEqual([204, "GET, POST, HEAD, OPTIONS"]);
    expect(answer.headers.has("ratelimit")).toBe(false);
  });

  test("HEAD answers as GET without a body", async () => {
    const answer = await call("/healthz", { method: "HEAD" });
    expect([answer.status, answer.text]).toEqual([200, ""]);
  });
});

describe("every answer", () => {
  test("carries a request id: the caller's when it is well-formed and bounded, else a new one", async () => {
    const own = await call("/healthz", { headers: { "X-Request-Id": "my-request-1" } });
    expect(own.headers.get("x-request-id")).toBe("my-request-1");
    for (const bad of ["x".repeat(300), "no spaces allowed", "<script>"]) {
      const replaced = await call("/healthz", { headers: { "X-Request-Id": bad } });
      expect(replaced.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  test("carries security headers", async () => {
    const { headers } = await call("/api/users");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(headers.get("strict-transport-security")).toContain("max-age=");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
  });

  test("is closed to other origins by default", async () => {
    const answer = await call("/api/products", { headers: { Origin: "https://evil.example" } });
    expect(answer.headers.has("access-control-allow-origin")).toBe(false);
    const preflight = await call("/api/users", {
      method: "OPTIONS",
      headers: { Origin: "https://evil.example", "Access-Control-Request-Method": "POST" },
    });
    expect(preflight.headers.has("access-control-allow-origin")).toBe(false);
  });

  test("is open to the origins that CORS_ORIGINS lists, refusals and preflights included, and to no other", async () => {
    const ask = async (
      origin: string,
      method: string,
      CORS_ORIGINS = "https://app.example,https://b.example",
    ) => {
      const headers = { Origin: origin, "Access-Control-Request-Method": "PATCH" };
      const request = new Request("https://meridian.example/api/users/me", { method, headers });
      return (await sendCounted(request, { CORS_ORIGINS } as Partial<Env>)).response;
    };
    const refused = await ask("https://app.example", "GET");
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([
      401,
      "https://app.example",
    ]);
    expect(refused.headers.get("access-control-expose-headers")).toContain("X-D1-Bookmark");
    expect(refused.headers.get("vary")).toContain("Origin");
    expect(refused.headers.has("access-control-allow-credentials")).toBe(false);
    const preflight = await ask("https://b.example", "OPTIONS");
    expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([
      204,
      "https://b.example",
    ]);
    expect(preflight.headers.get("access-control-allow-methods")).toContain("PATCH");
    for (const origin of ["https://evil.example", "https://app.example.evil.example", "null"]) {
      for (const method of ["GET", "OPTIONS"]) {
        const closed = await ask(origin, method);
        expect([origin, closed.headers.get("access-control-allow-origin")]).toEqual([origin, null]);
      }
    }
    expect((await ask("https://any.example", "GET", "*")).headers.get("access-control-allow-origin")).toBe(
      "*",
    );
  });

  test("under /api is private to its caller", async () => {
    const answer = await call("/api/users/me");
    expect(answer.headers.get("vary")).toContain("Authorization");
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });
});

describe("headers that steer", () => {
  test("an If-Match that names nothing matches nothing", async () => {
    const account = await createAccount();
    const patch = (ifMatch: string) =>
      account.call(`/api/users/${account.id}`, {
        method: "PATCH",
        json: { name: "Ada King" },
        headers: { "If-Match": ifMatch },
      });
    for (const ifMatch of [",", "1", 'W/"1"']) {
      expect([ifMatch, (await patch(ifMatch)).status]).toEqual([ifMatch, 412]);
    }
    expect((await patch('"9", "1"')).status).toBe(200);
  });

  test("a malformed bookmark is refused with a pointer; a well-formed one is accepted", async () => {
    for (const bookmark of ["garbage", "0".repeat(59), `${"0".repeat(8)}-0-0-${"0".repeat(32)}`, ""]) {
      const answer = await call("/api/users/me", { headers: { "X-D1-Bookmark": bookmark } });
      expect([bookmark, answer.status]).toEqual([bookmark, 400]);
      expect(answer.json.errors[0].pointer).toBe("#/header/X-D1-Bookmark");
    }
  });
});

describe("bodies", () => {
  const json = () => JSON.stringify({ name: "Ada Lovelace", email: `${crypto.randomUUID()}@example.com` });
  const signUp = (type: string) => call("/api/users", { body: json(), headers: { "Content-Type": type } });

  test("are JSON in UTF-8, however the type is spelled", async () => {
    for (const type of [
      "application/json;charset=utf-8",
      'Application/JSON; Charset="UTF-8"',
      "application/json ; charset=utf-8",
      "application/json;",
    ]) {
      expect([type, (await signUp(type)).status]).toEqual([type, 201]);
    }
    for (const type of [
      "application/json; charset=iso-8859-1",
      "application/json; charset=utf-8; charset=latin1",
      "application/merge-patch+json",
      "application/json, text/plain",
      "text/plain",
    ]) {
      expect([type, (await signUp(type)).status]).toEqual([type, 415]);
    }
  });

  test("are needed for a merge patch: without one nothing was asked for", async () => {
    const account = await createAccount();
    const answer = await account.call(`/api/users/${account.id}`, { method: "PATCH" });
    expect([answer.status, answer.json.code]).toEqual([400, "validation_failed"]);
    expect(answer.json.errors[0].pointer).toBe("#");
  });
});

describe("operations", () => {
  test("health and readiness answer, and readiness says who answered it", async () => {
    expect((await call("/healthz")).json).toEqual({ status: "ok" });
    const ready = await call("/readyz");
    expect(ready.status).toBe(200);
    expect(ready.json.status).toBe("ok");
    expect(ready.json.checks.map((check: { name: string }) => check.name)).toEqual([
      "d1",
      "kv",
      "limiter",
      "outbox",
    ]);
  });

  test("every code has its page, for people and for programs", async () => {
    for (const code of ERROR_CODES) {
      const page = await call(`/problems/${code}`, { headers: { Accept: "text/html" } });
      expect([code, page.status, page.text.includes(code)]).toEqual([code, 200, true]);
      expect((await call(`/problems/${code}`)).json.code).toBe(code);
    }
    expect((await call("/problems/no_such_code")).status).toBe(404);
  });

  test("a failing database is 503 with Retry-After, and nothing of it leaks", async () => {
    await env.DB.prepare("drop table user_profiles").run();
    const answer = await call("/api/users", {
      json: { name: "Ada Lovelace", email: "secret-ada@example.com" },
    });
    expect([answer.status, answer.json.code]).toEqual([503, "unavailable"]);
    expect(answer.headers.get("retry-after")).toBe("1");
    expect(answer.text).not.toMatch(/sqlite|\bD1\b|insert|secret-ada|user_profiles/i);
  });
});
