/** Every endpoint, with a marked secret in every place that takes one: none may be found in a line of the log. */
import { createExecutionContext, createScheduledController, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { createApp } from "../../../src/gateway/http/app";
import { newId } from "../../../src/platform/clock";
import { wire } from "../../../src/wiring";
import worker from "../../../src/worker";
import { createAccount, createAdmin, signToken } from "../../support/accounts";
import { call } from "../../support/client";
import { isLeak } from "../../support/leaks";
import { watchLogs } from "../../support/log-watch";
import { mailsSent } from "../../support/mailbox";
import { PLANTED } from "../../support/planted-secrets";

const ROUTES = createApp(wire).routes.filter(({ method }) => method !== "ALL");

/** Whatever any endpoint may ask for. */
const BODY = {
  ...{ name: PLANTED.name, email: PLANTED.email, password: PLANTED.password, age: 36 },
  profile: { bio: PLANTED.bio, avatarUrl: null, locale: null, timezone: null },
  ...{ currentPassword: PLANTED.password, newPassword: PLANTED.otherPassword },
  ...{ token: PLANTED.oneTimeToken, refreshToken: PLANTED.refreshToken },
  ...{ url: `https://hooks.example/${PLANTED.webhookPath}`, types: ["*"], reason: PLANTED.bio },
};

const HEADERS = {
  "User-Agent": PLANTED.userAgent,
  "X-Forwarded-For": PLANTED.address,
  Cookie: `session=${PLANTED.refreshToken}`,
  Referer: `https://app.example/reset?token=${PLANTED.oneTimeToken}`,
};

function pathOf(pattern: string): string {
  const path = pattern.replaceAll(/:(\w+)(?:\{[^}]*\})?/g, (_, name: string) =>
    name === "id" ? newId() : PLANTED.query,
  );
  return `${path}?token=${PLANTED.oneTimeToken}&email=${encodeURIComponent(PLANTED.email)}&after=${PLANTED.query}`;
}

test("no endpoint logs what a client entrusts it with", { timeout: 60_000 }, async () => {
  const watch = watchLogs();
  const password = PLANTED.password;
  const planted = await createAccount({ name: PLANTED.name, email: PLANTED.email, password });
  const admin = await createAdmin();
  const tokens = [
    planted.token,
    admin.token,
    await signToken({ userId: planted.id, epoch: 0 }),
    PLANTED.accessToken,
    undefined,
  ];
  const answers: number[] = [];
  for (const { method, path } of ROUTES) {
    for (const [index, token] of tokens.entries()) {
      const isSafe = method === "GET";
      const answer = await call(pathOf(path), {
        method,
        from: `2001:db8:feed:${index}::7`,
        headers: {
          ...HEADERS,
          ...(isSafe ? {} : { "Idempotency-Key": `${PLANTED.idempotencyKey}-${newId()}` }),
        },
        ...(token === undefined ? {} : { token }),
        ...(isSafe ? {} : { json: BODY }),
      });
      answers.push(answer.status);
    }
  }
  await call("/api/auth/login", { json: { email: PLANTED.email, password } });
  await call("/api/auth/password/forgot", { json: { email: PLANTED.email } });
  await call("/api/users", { json: { ...BODY, email: PLANTED.email } });
  await call("/api/users", {
    method: "POST",
    body: `{"password": "${password}"`,
    headers: { "Content-Type": "application/json" },
  });
  const logIn = "mutation ($input: LogInInput!) { logIn(input: $input) { accessToken } }";
  const credentials = { email: PLANTED.email, password };
  await call("/graphql", { json: { query: logIn, variables: { input: credentials } } });
  await call("/graphql", { json: { query: `{ ${PLANTED.query}(token: "${PLANTED.oneTimeToken}") }` } });
  await call("/rpc/auth.v1.AuthService/LogIn", { json: credentials });
  await call("/rpc/auth.v1.AuthService/VerifyToken", { json: { accessToken: PLANTED.accessToken } });
  await call(`/rpc/${PLANTED.query}/${PLANTED.oneTimeToken}`, { json: credentials });
  expect(await mailsSent()).not.toHaveLength(0);
  const context = createExecutionContext();
  await worker.scheduled(createScheduledController(), env, context);
  await waitOnExecutionContext(context);

  const { lines, leaks } = watch.drain();
  expect(leaks).toEqual([]);
  expect(lines.filter((line) => line.includes('"event":"request"')).length).toBeGreaterThanOrEqual(
    answers.length,
  );
});

test("the watch knows a leak when it sees one", () => {
  expect(isLeak(JSON.stringify({ detail: PLANTED.password }))).toBe(true);
  expect(isLeak("user grace@example.com was not found")).toBe(true);
  expect(isLeak('{"level":"info","event":"request","route":"/api/users/:id"}')).toBe(false);
});
