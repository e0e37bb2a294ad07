/** The built Worker in a server of its own, with an empty database: for tests from outside. */
import { rmSync } from "node:fs";
import { vi } from "vitest";
import { spawnTool, toolEnvironment } from "../../scripts/tools.mjs";
import { migratedState } from "./migrated-state.ts";
import { TEST_SECRETS } from "./secrets.ts";
import { watchProcess } from "./server-output.ts";

export interface DevServer {
  readonly base: string;
  /** What it has printed so far. */
  readonly output: () => string;
  stop(): void;
}

/**
 * @param configs the first one's Worker answers at `base`; the others are there to be bound to
 * @param vars over those of the configuration
 */
export async function startDevServer(
  configs: readonly string[],
  vars: Readonly<Record<string, string>> = {},
): Promise<DevServer> {
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const base = `http://127.0.0.1:${port}`;
  const state = await migratedState();
  const server = spawnTool(
    "wrangler",
    [
      ...["dev", ...configs.flatMap((config) => ["-c", config])],
      ...Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]),
      ...["--port", String(port), "--persist-to", state, "--inspector-port", "0"],
      "--show-interactive-dev-session=false",
    ],
    {
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      env: { ...toolEnvironment(), ...TEST_SECRETS, NO_COLOR: "1" },
    },
  );
  const output = watchProcess(server);
  const stop = () => {
    if (server.pid !== undefined && server.exitCode === null) process.kill(-server.pid, "SIGKILL");
    rmSync(state, { recursive: true, force: true });
  };
  try {
    await vi.waitFor(
      async () => {
        await fetch(base).catch(() => {
          throw new Error(`not up yet:\n${output()}`);
        });
      },
      { timeout: 50_000, interval: 200 },
    );
  } catch (error) {
    stop();
    throw error;
  }
  return { base, output, stop };
}
