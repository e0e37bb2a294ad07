import { Hono } from "hono";
import { expect, test } from "vitest";
import { admit } from "../../../../src/gateway/http/middleware/admit";
import { failed } from "../../../../src/gateway/http/middleware/faults";
import type { Credentials, GatewayEnv, Services } from "../../../../src/gateway/request-context";
import { AppError } from "../../../../src/kernel/errors";
import type { Config } from "../../../../src/platform/env";
import type { BudgetAnswer, Limiter } from "../../../../src/platform/limiter";
import { testScope } from "../../../support/scope";

const ADMITTED: BudgetAnswer = {
  outcome: "admitted",
  policy: "default",
  limit: 100,
  windowSeconds: 900,
  remaining: 99,
  resetSeconds: 900,
  retryAfterSeconds: 0,
  revocations: { minEpoch: 0, minEpochSince: null, minIssuedAt: 0, isSessionRevoked: () => false },
  decidedBy: "object",
  violatedPolicy: null,
};
const REFUSED: BudgetAnswer = {
  ...ADMITTED,
  outcome: "refused",
  remaining: 0,
  resetSeconds: 950,
  retryAfterSeconds: 950,
  violatedPolicy: "default",
};
const ENDED: BudgetAnswer = {
  ...ADMITTED,
  revocations: {
    minEpoch: 0,
    minEpochSince: null,
    minIssuedAt: 0,
    isSessionRevoked: (id) => id === "session-1",
  },
};
const SILENT: BudgetAnswer = { ...ADMITTED, outcome: "fail-open", revocations: null, decidedBy: "isolate" };

const VERIFIED: Credentials = {
  kind: "verified",
  presented: "a.b.c",
  token: { userId: "user-1", sessionId: "session-1", role: "user", epoch: 1, issuedAt: 0, expiresAt: 0 },
};

/** Five lines of app, with a limiter that answers when it is told to. */
function gate(credentials: Credentials, remembered: BudgetAnswer | null = null, isValid = true) {
  const ran: string[] = [];
  const checked: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<BudgetAnswer>();
  const limiter: Pick<Limiter, "admit" | "admitFromMemory"> = {
    admitFromMemory: () => remembered,
    admit: () => promise,
  };
  const auth = {
    isValid: async ({ sessionId }: { sessionId: string }) => {
      checked.push(sessionId);
      return isValid;
    },
  };
  const app = new Hono<GatewayEnv>()
    .use(async (c, next) => {
      c.set("credentials", credentials);
      c.set("config", {
        RATE_LIMIT_MAX: 100,
        RATE_LIMIT_WINDOW_SECONDS: 900,
      } as Config);
      c.set("services", { limiter, auth } as unknown as Services);
      c.set("scope", testScope());
      c.header("X-Before", "stays");
      await next();
    })
    .use(admit)
    .all("/api/thing", (c) => {
      ran.push(c.req.method);
      c.header("ETag", '"7"');
      return c.json({ secret: "of the owner" });
    });
  app.onError(failed);
  const send = (method: string) => app.request("/api/thing", { method });
  return { send, ran, checked, resolve, reject };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

test("a safe method's handler runs beside the ask, and its answer waits for it", async () => {
  const { send, ran, resolve } = gate(VERIFIED);
  let isAnswered = false;
  const answer = Promise.resolve(send("GET")).finally(() => {
    isAnswered = true;
  });
  await settle();
  expect(ran).toEqual(["GET"]);
  expect(isAnswered).toBe(false);
  resolve(ADMITTED);
  const { status, headers } = await answer;
  expect([status, headers.get("ratelimit"), headers.get("etag")]).toEqual([
    200,
    '"default";r=99;t=900',
    '"7"',
  ]);
});

test("an unsafe method's handler does not run before the ask is answered, nor after a refusal", async () => {
  const { send, ran, resolve } = gate(VERIFIED);
  const answer = send("POST");
  await settle();
  expect(ran).toEqual([]);
  resolve(REFUSED);
  expect((await answer).status).toBe(429);
  expect(ran).toEqual([]);
});

test("what a refusal that came late replaces leaves nothing behind: no body, no entity tag", async () => {
  for (const [late, status] of [
    [REFUSED, 429],
    [ENDED, 401],
  ] as const) {
    const { send, resolve } = gate(VERIFIED);
    resolve(late);
    const answer = await send("GET");
    expect(answer.status).toBe(status);
    expect(answer.headers.get("etag")).toBeNull();
    expect(answer.headers.get("x-before")).toBe("stays");
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.headers.get("ratelimit-policy")).toBe('"default";q=100;w=900');
    expect(await answer.text()).not.toContain("secret");
  }
});

test("a refusal that is remembered comes before the handler on any method", async () => {
  for (const method of ["GET", "POST"]) {
    const { send, ran } = gate(VERIFIED, REFUSED);
    const answer = await send(method);
    expect(answer.status).toBe(429);
    expect(answer.headers.get("retry-after")).toBe("950");
    expect(ran).toEqual([]);
  }
});

test("a bad token is refused without running the handler beside", async () => {
  const bad: Credentials = { kind: "bad", refusal: { code: "unauthenticated", detail: "No." } };
  const { send, ran, resolve } = gate(bad);
  const answer = send("GET");
  await settle();
  resolve(ADMITTED);
  expect((await answer).status).toBe(401);
  expect(ran).toEqual([]);
});

test("when the object is silent, a token's session is asked of D1, and a stranger's is not", async () => {
  for (const method of ["GET", "POST"]) {
    const ended = gate(VERIFIED, null, false);
    ended.resolve(SILENT);
    const answer = await ended.send(method);
    expect([answer.status, ended.checked]).toEqual([401, ["session-1"]]);
    const living = gate(VERIFIED, null, true);
    living.resolve(SILENT);
    expect((await living.send(method)).status).toBe(200);
    const stranger = gate({ kind: "none" });
    stranger.resolve(SILENT);
    expect((await stranger.send(method)).status).toBe(200);
    expect(stranger.checked).toEqual([]);
  }
});

test("a silence that is remembered is no way round the check of the session", async () => {
  const { send, checked, resolve } = gate(VERIFIED, SILENT, false);
  resolve(SILENT);
  expect((await send("GET")).status).toBe(401);
  expect(checked).toEqual(["session-1"]);
});

test("an ask that failed is 503, and what the handler made of it is not shown", async () => {
  for (const method of ["GET", "POST"]) {
    const { send, reject } = gate(VERIFIED);
    const answer = send(method);
    reject(new AppError("unavailable", "the object is silent", { retryAfterSeconds: 5 }));
    const { status, headers } = await answer;
    expect([status, headers.get("retry-after"), headers.get("etag")]).toEqual([503, "5", null]);
  }
});
