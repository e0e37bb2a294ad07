import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestHarness } from "wrangler";
import { TEST_SECRETS } from "../support/secrets";

const server = createTestHarness({
  workers: [{ configPath: "./wrangler.toml", secrets: TEST_SECRETS }],
});

beforeAll(async () => {
  await server.listen();
  await server.getWorker<Env>().applyD1Migrations("DB");
});
afterAll(async () => await server.close());

test("the built Worker answers", async () => {
  const response = await server.fetch("/healthz");
  expect(response.status).toBe(200);
});
