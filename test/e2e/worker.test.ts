/** The built Worker from outside: what `wrangler deploy` would upload, served by workerd. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { TEST_SECRETS } from "../support/secrets";
import { testServer } from "../support/server-output";

const server = testServer({
  workers: [{ configPath: "./wrangler.toml", secrets: TEST_SECRETS }],
});

beforeAll(async () => {
  await server.listen();
  await server.getWorker<Env>().applyD1Migrations("DB");
});
afterAll(async () => await server.close());

test.each(["/healthz", "/readyz"])("%s answers 200", async (path) => {
  const response = await server.fetch(path);
  expect(response.status).toBe(200);
});

test("a sign-up is created, in any script, with its location and tag", async () => {
  const response = await server.fetch("/api/users", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ name: "Ελένη Παπαδοπούλου", email: "eleni@example.com" }),
  });
  expect(response.status).toBe(201);
  const user = (await response.json()) as { id: string; name: string };
  expect(user.name).toBe("Ελένη Παπαδοπούλου");
  expect(response.headers.get("Location")).toBe(`/api/users/${user.id}`);
  expect(response.headers.get("ETag")).toBe('"1"');
});

test("what is not there is a problem document", async () => {
  const response = await server.fetch("/api/nothing");
  expect(response.status).toBe(404);
  expect(response.headers.get("Content-Type")).toContain("application/problem+json");
  expect(await response.json()).toMatchObject({ code: "not_found", status: 404 });
});

test("the cron's handler runs to its end", async () => {
  const result = await server.getWorker().scheduled({ cron: "* * * * *", scheduledTime: new Date(0) });
  expect(result.outcome).toBe("ok");
});
