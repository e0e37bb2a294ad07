/** What is served without the Worker, and that it hides nothing of the Worker's. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TEST_SECRETS } from "../support/secrets";
import { testServer } from "../support/server-output";

const server = testServer({
  workers: [{ configPath: "./wrangler.toml", secrets: TEST_SECRETS }],
});

beforeAll(async () => {
  await server.listen();
});
afterAll(async () => await server.close());

test("/openapi.json is the document", async () => {
  const response = await server.fetch("/openapi.json");
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toContain("application/json");
  expect(await response.json()).toEqual(JSON.parse(readFileSync("public/openapi.json", "utf8")));
});

test.each(["/nothing", "/openapi", "/api/nothing", "/docs/nothing"])(
  "%s is the Worker's own 404",
  async (path) => {
    const response = await server.fetch(path);
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
  },
);

test("another method on a route is the Worker's own 405", async () => {
  const response = await server.fetch("/healthz", { method: "POST" });
  expect(response.status).toBe(405);
  expect(response.headers.get("allow")).toBe("GET, HEAD, OPTIONS");
});

test("/ is the Worker's", async () => {
  expect(await (await server.fetch("/")).json()).toMatchObject({ name: "Meridian" });
});
