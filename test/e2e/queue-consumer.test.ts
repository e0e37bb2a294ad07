import { afterEach, expect, test } from "vitest";
import { type DevServer, startDevServer } from "../support/dev-server.ts";

let server: DevServer | undefined;

afterEach(() => server?.stop());

test("another team's Worker receives user.created from its own queue, with both Workers run by one command", async () => {
  const { base, output } = await start();
  const isReady = async () => (await fetch(`${base}/readyz`).catch(() => null))?.status ?? output();
  await expect.poll(isReady, { timeout: 40_000, interval: 200 }).toBe(200);
  const response = await fetch(`${base}/api/users`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "Ada Lovelace", email: "ada@example.com" }),
  });
  expect(response.status).toBe(201);
  const { id } = (await response.json()) as { id: string };
  await expect.poll(output, { timeout: 20_000, interval: 200 }).toContain(`"userId":"${id}"`);
  expect(output()).toContain('"received":"user.created"');
}, 120_000);

async function start(): Promise<DevServer> {
  server = await startDevServer(["wrangler.toml", "examples/queue-consumer/wrangler.toml"]);
  return server;
}
