import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { ensureMigrations } from "../../scripts/prepare.mjs";
import { spawnTool, toolEnvironment } from "../../scripts/tools.mjs";
import { TEST_SECRETS } from "../support/secrets.ts";

const PORT = 20_000 + Math.floor(Math.random() * 20_000);
const state = mkdtempSync(join(tmpdir(), "meridian-example-"));
let server: ChildProcess | undefined;

afterEach(() => {
  if (server?.pid !== undefined && server.exitCode === null) process.kill(-server.pid, "SIGKILL");
  rmSync(state, { recursive: true, force: true });
});

test("another team's Worker receives user.created from its own queue, with both Workers run by one command", async () => {
  await ensureMigrations(state);
  let output = "";
  server = spawnTool(
    "wrangler",
    [
      ...["dev", "-c", "wrangler.toml", "-c", "examples/queue-consumer/wrangler.toml"],
      ...["--port", String(PORT), "--persist-to", state, "--show-interactive-dev-session=false"],
      ...["--inspector-port", "0"],
    ],
    {
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      env: { ...toolEnvironment(), ...TEST_SECRETS, NO_COLOR: "1" },
    },
  );
  for (const stream of [server.stdout, server.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const base = `http://127.0.0.1:${PORT}`;
  const isReady = async () => (await fetch(`${base}/readyz`).catch(() => null))?.status ?? output;
  await expect.poll(isReady, { timeout: 40_000, interval: 200 }).toBe(200);
  const response = await fetch(`${base}/api/users`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "Ada Lovelace", email: "ada@example.com" }),
  });
  expect(response.status).toBe(201);
  const { id } = (await response.json()) as { id: string };
  await expect.poll(() => output, { timeout: 20_000, interval: 200 }).toContain(`"userId":"${id}"`);
  expect(output).toContain('"received":"user.created"');
}, 90_000);
