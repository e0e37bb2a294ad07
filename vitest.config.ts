import { statfsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";
import { eagerImports } from "./test/support/eager-imports.ts";
import { TEST_SECRETS } from "./test/support/secrets.ts";

// Wrangler looks for the required secrets in the environment when there is no .dev.vars, and warns of each one missing.
for (const [name, value] of Object.entries(TEST_SECRETS)) process.env[name] ??= value;
// A passing run prints results only. Wrangler's notes of where it found secrets are none; its warnings stay.
process.env.WRANGLER_LOG ??= "warn";

/** Linux's file system in memory. */
const MEMORY = "/dev/shm";
const MEMORY_BYTES_MIN = 1e9;

// Stores are files, and a commit waits for its disk: half of what the tests with stores take. In memory none waits.
if (hasRoomInMemory()) process.env.TMPDIR ??= MEMORY;

function hasRoomInMemory(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= MEMORY_BYTES_MIN;
  } catch {
    return false;
  }
}

const ISOLATE_SETUP = "./test/support/isolate-setup.ts";
const LOG_SETUP = "./test/support/log-setup.ts";
const STORAGE_SETUP = "./test/support/storage-setup.ts";
const OUTPUT_SETUP = "./test/support/server-output-setup.ts";

/** This package's source map names files that it does not publish, and Vite would warn of it in each run. */
const withoutSourceMap = {
  name: "package-without-source-map",
  async load(id: string) {
    if (!id.includes("/node_modules/standardwebhooks/")) return null;
    return (await readFile(id, "utf8")).replace(/^\/\/# sourceMappingURL=.*$/m, "");
  },
};

/** Tests that run in workerd, with the bindings of wrangler.toml. */
function inWorkerd(name: string, include: string, setupFiles: readonly string[]) {
  return {
    plugins: [
      withoutSourceMap,
      eagerImports(),
      cloudflareTest(async () => ({
        // The source, where wrangler.toml names what the build makes of it: tests run no build.
        main: "./src/worker.ts",
        wrangler: { configPath: "./wrangler.toml" },
        // Else workerd logs each object and promise that `reset()` ends between two tests as an uncaught exception.
        verbose: false,
        miniflare: {
          bindings: {
            // These win over a developer's own .dev.vars, so that tests see the same keys everywhere.
            ...TEST_SECRETS,
            TEST_MIGRATIONS: await readD1Migrations("./migrations"),
            TEST_RUNS: process.env.TEST_RUNS === "long" ? "long" : "short",
          },
        },
      })),
    ],
    test: {
      ...{ name, include: [include], setupFiles: [...setupFiles] },
      // One workerd serves many files, because starting one for each takes three seconds of CPU. The setup files isolate
      // them: each test starts with empty storage and an isolate that remembers nothing, and what an earlier test has put
      // into a queue is dropped.
      isolate: false,
      sequence: { setupFiles: "list" as const },
      // Vitest keeps a module and its source map in one cached file. The pool hands such a file to workerd as the module
      // and drops the map, and lines are then those of the compiled module.
      fsModuleCache: false,
      // A hang is a failure; a machine that does ten things at once is none.
      testTimeout: 30_000,
      hookTimeout: 30_000,
    },
  };
}

/** Tests that run in Node: the built Worker over HTTP, and the scripts. */
function inNode(name: string, include: string, exclude: readonly string[] = []) {
  return {
    test: {
      ...{ name, include: [include], exclude: [...exclude], setupFiles: [OUTPUT_SETUP] },
      environment: "node" as const,
      // A server's log is part of what these tests read.
      env: { WRANGLER_LOG: "log" },
      testTimeout: 30_000,
      hookTimeout: 60_000,
    },
  };
}

export const WORKERD_PROJECTS = [
  inWorkerd("unit", "test/unit/**/*.test.ts", [ISOLATE_SETUP, LOG_SETUP]),
  inWorkerd("workerd", "test/{integration,contract,faults}/**/*.test.ts", [
    ISOLATE_SETUP,
    STORAGE_SETUP,
    LOG_SETUP,
  ]),
];

/** Tests that take minutes or tools that not every machine has. `npm run judge` runs them, `npm test` does not. */
const JUDGED = "test/e2e/{bench,alerts}/**/*.test.ts";

export default defineConfig({
  test: {
    // What is logged is shown for the tests that fail; in workerd test/support/log-watch.ts sees to it.
    silent: "passed-only",
    // Two on two cores as well, where the default is one: half of the time of a test from outside is waiting.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      ...WORKERD_PROJECTS,
      inNode("e2e", "test/e2e/**/*.test.ts", [JUDGED]),
      ...(process.env.JUDGE === undefined ? [] : [inNode("judge", JUDGED)]),
    ],
  },
});
