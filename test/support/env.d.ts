/** What `vitest.config.ts` adds to the Worker's bindings. */
declare namespace Cloudflare {
  interface Env {
    /** How often properties are tried: see `runs.ts`. */
    TEST_RUNS: "short" | "long";
    TEST_MIGRATIONS: import("@cloudflare/vitest-pool-workers/types").D1Migration[];
  }
}

/** What Vite resolves while it compiles a test: the text of each file that a pattern names, by path. */
interface ImportMeta {
  glob(
    patterns: readonly string[],
    options: { readonly query: "?raw"; readonly import: "default"; readonly eager: true },
  ): Readonly<Record<string, string>>;
}
