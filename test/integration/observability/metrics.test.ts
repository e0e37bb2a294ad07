import { expect, test } from "vitest";
import { createAccount, freshEmail, PASSWORD } from "../../support/accounts";
import { call, freshAddress } from "../../support/client";
import { scrape, seriesValue } from "../../support/metrics";
import { SPEAKERS } from "../../support/speakers";

const REQUESTS = "http_requests_total";

test("every answer is counted by route pattern: success, refusal and what matches no route", async () => {
  const before = (await scrape()).text;
  const ada = await createAccount();
  await ada.call(`/api/users/${ada.id}`);
  await ada.call("/api/users/me");
  await call(`/api/users/${ada.id}`);
  await call("/api/users", { json: { name: "x" } });
  await call("/nowhere/at/all");
  await call("/api/users", { method: "PURGE" });

  const { text } = await scrape();
  const grown = (labels: string) =>
    seriesValue(text, `${REQUESTS}{${labels}}`) - seriesValue(before, `${REQUESTS}{${labels}}`);
  expect(grown('route="/api/users",method="POST",status="201",protocol="rest"')).toBe(1);
  expect(grown('route="/api/users/:id",method="GET",status="200",protocol="rest"')).toBe(1);
  expect(grown('route="/api/users/me",method="GET",status="200",protocol="rest"')).toBe(1);
  expect(grown('route="/api/users/:id",method="GET",status="401",protocol="rest"')).toBe(1);
  expect(grown('route="/api/users",method="POST",status="400",protocol="rest"')).toBe(1);
  expect(grown('route="unmatched",method="GET",status="404",protocol="rest"')).toBe(1);
  expect(grown('route="unmatched",method="OTHER",status="405",protocol="rest"')).toBe(1);
  expect(text).not.toContain(ada.id);
});

test("only the holder of the token sees metrics", async () => {
  for (const headers of [
    {},
    { Authorization: "Bearer metrics-token-for-test" },
    { Authorization: "Basic eA==" },
  ]) {
    const answer = await call("/metrics", { headers });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("WWW-Authenticate")).toMatch(/^Bearer/);
    expect(answer.text).not.toContain("http_requests_total");
  }
});

test("a scraper gets the format that it names", async () => {
  const plain = await scrape();
  expect(plain.headers.get("Content-Type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(plain.text).toContain("# TYPE http_requests_total counter\n");

  const open = await scrape({ Accept: "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2" });
  expect(open.headers.get("Content-Type")).toMatch(/^application\/openmetrics-text; version=1\.0\.0/);
  expect(open.text).toContain("# TYPE http_requests counter\n");
  expect(open.text.endsWith("# EOF\n")).toBe(true);
});

test("sign-ups are counted as they are committed, and a repeated call once", async () => {
  const signups = async () => seriesValue((await scrape()).text, "signups_total");
  const before = await signups();
  const json = { name: "Ada Lovelace", email: freshEmail() };
  const headers = { "Idempotency-Key": "one-sign-up" };
  const from = "2001:db8:77::1";
  expect((await call("/api/users", { from, json, headers })).status).toBe(201);
  expect((await call("/api/users", { from, json, headers })).status).toBe(201);
  expect((await call("/api/users", { from, json })).status).toBe(409);
  expect(await signups()).toBe(before + 1);
});

test("each protocol's answers are counted under its own name, and RPC's under the method's", async () => {
  const before = (await scrape()).text;
  const headers = { "Content-Type": "application/json" };
  await call("/graphql", { json: { query: "{ me { id } user(id: 1) { id } }" } });
  await call("/graphql", { json: { query: "{ __typename }" } });
  await call("/rpc/users.v1.UserService/GetUser", { json: { id: "x" }, headers });
  await call("/rpc/users.v1.UserService/Invented", { json: {}, headers });
  await call("/rpc/another.v7.Service/Invented", { json: {}, headers });

  const { text } = await scrape();
  const lines = (pattern: RegExp) => text.split("\n").filter((line) => pattern.test(line));
  const grown = (labels: string) =>
    seriesValue(text, `${REQUESTS}{${labels}}`) - seriesValue(before, `${REQUESTS}{${labels}}`);
  expect(grown('route="/graphql",method="POST",status="200",protocol="graphql"')).toBeGreaterThan(0);
  expect(
    lines(/^http_requests_total.*route="\/rpc\/users\.v1\.UserService\/GetUser".*protocol="connect"/),
  ).toHaveLength(1);
  expect(grown('route="/rpc/*",method="POST",status="404",protocol="connect"')).toBe(2);
  expect(text).not.toContain("Invented");
});

test("a login counts once, and a refused one by its reason, whichever protocol it comes by", async () => {
  const FAILED = 'login_failures_total{reason="invalid_credentials"}';
  const figures = async () => {
    const { text } = await scrape();
    return [seriesValue(text, "logins_total"), seriesValue(text, FAILED)];
  };
  const { email } = await createAccount({ password: PASSWORD });
  const [logins = 0, failures = 0] = await figures();
  for (const { logIn } of SPEAKERS) {
    expect((await logIn({ from: freshAddress() }, { email, password: PASSWORD })).code).toBe("ok");
    const refused = await logIn({ from: freshAddress() }, { email, password: `not ${PASSWORD}` });
    expect(refused.code).toBe("invalid_credentials");
  }
  expect(await figures()).toEqual([logins + SPEAKERS.length, failures + SPEAKERS.length]);
});
