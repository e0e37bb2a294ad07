import { availableParallelism } from "node:os";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";
import { TEST_SECRETS } from "./test/support/secrets.ts";

// Wrangler looks for the required secrets in the environment when there is no .dev.vars, and warns of each one missing.
for (const [name, value] of Object.entries(TEST_SECRETS)) process.env[name] ??= value;

const LOG_SETUP = "./test/support/log-setup.ts";
const STORAGE_SETUP = "./test/support/storage-setup.ts";

/** Tests that run in workerd, with the bindings of wrangler.toml. */
function inWorkerd(name: string, include: string, options: { setupFiles: string[]; isolate?: boolean }) {
  return {
    plugins: [
      cloudflareTest(async () => ({
        // The source, where wrangler.toml names what the build makes of it: tests run no build.
        main: "./src/worker.ts",
        wrangler: { configPath: "./wrangler.toml" },
        miniflare: {
          // These win over a developer's own .dev.vars, so that tests see the same keys everywhere.
          bindings: { ...TEST_SECRETS, TEST_MIGRATIONS: await readD1Migrations("./migrations") },
        },
      })),
    ],
    test: {
      ...{ name, include: [include], ...options },
      // A hang is a failure; a machine that does ten things at once is none.
      testTimeout: 30_000,
      hookTimeout: 30_000,
    },
  };
}

export default defineConfig({
  test: {
    // What is logged is shown for the tests that fail; in workerd test/support/log-watch.ts sees to it.
    silent: "passed-only",
    // Two on two cores as well, where the default is one: half of the time of a test from outside is waiting.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      // Pure, so that one workerd serves all files, where starting one for each takes two thirds of their time.
      inWorkerd("unit", "test/unit/**/*.test.ts", { setupFiles: [LOG_SETUP], isolate: false }),
      inWorkerd("workerd", "test/{integration,contract,faults}/**/*.test.ts", {
        setupFiles: [STORAGE_SETUP, LOG_SETUP],
      }),
      {
        // From outside: the built Worker over HTTP, and the scripts, in Node.
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          setupFiles: ["./test/support/server-output-setup.ts"],
          environment: "node",
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
