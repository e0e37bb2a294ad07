/** What the judge makes of Prism's findings; the judging itself needs a running server: `npm run judge -- openapi-answers`. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { coverageOf, openTap, violationsOf } from "../../scripts/openapi-judge/tap.mjs";

const FOUND = [
  { location: ["request", "body"], severity: "Error", message: "must be object" },
  { location: ["response", "body", "stock"], severity: "Error", message: "must be string" },
];

test("what is wrong with an answer counts, what is wrong with a request was meant, an unknown path counts", () => {
  expect(violationsOf({ "sl-violations": JSON.stringify(FOUND) })).toEqual([
    "response.body.stock: must be string",
  ]);
  const unknown = [{ location: ["request"], severity: "Warning", message: "Selected route not found" }];
  expect(violationsOf({ "sl-violations": JSON.stringify(unknown) })).toHaveLength(1);
  expect(violationsOf({})).toEqual([]);
});

test("an answer counts for the operation that it is of, and not for one that looks alike", () => {
  const document = {
    paths: {
      "/api/users/{id}": { get: { operationId: "getUser", responses: { 200: {}, 404: {} } } },
      "/api/users/me": { get: { operationId: "getMe", responses: { 200: {} } } },
      "/api/users": { post: { operationId: "signUp", responses: { 201: {} } } },
    },
  };
  const seen = [
    { method: "GET", path: "/api/users/me", status: 200, violations: [] },
    { method: "GET", path: "/api/users/1", status: 404, violations: [] },
  ];
  const statuses = coverageOf(document, seen).map(({ id, statuses }) => [id, [...statuses]]);
  expect(Object.fromEntries(statuses)).toEqual({ getMe: [200], getUser: [404], signUp: [] });
});

test("what passes the tap arrives whole, and is written down", async () => {
  const upstream = createServer((request, answer) => {
    answer.writeHead(409, { "sl-violations": JSON.stringify(FOUND), "X-From": request.headers["x-to"] });
    request.pipe(answer);
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const tap = await openTap((upstream.address() as AddressInfo).port);
  try {
    const options = { method: "POST", body: "a body", headers: { "X-To": "them" } };
    const answer = await fetch(`${tap.url}/api/users?limit=1`, options);
    expect([answer.status, answer.headers.get("x-from"), await answer.text()]).toEqual([
      409,
      "them",
      "a body",
    ]);
    expect(tap.seen).toEqual([
      {
        method: "POST",
        path: "/api/users",
        status: 409,
        violations: ["response.body.stock: must be string"],
      },
    ]);
  } finally {
    tap.close();
    upstream.close();
    upstream.closeAllConnections();
  }
});
