/** What `vitest.config.ts` adds to the Worker's bindings. */
declare namespace Cloudflare {
  interface Env {
    /** How often properties are tried: see `runs.ts`. */
    TEST_RUNS: "short" | "long";
    TEST_MIGRATIONS: import("@cloudflare/vitest-pool-workers/types").D1Migration[];
  }
}
