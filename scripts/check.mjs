/**
 * `npm run check`: all that can be known of the code without running it, in seconds and offline. Every step runs, then
 * the failed ones are listed. CI runs exactly this.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { readArguments } from "./arguments.mjs";
import { ensureEntryTypes } from "./build.mjs";
import { checkFolder } from "./deploy/configuration.mjs";
import { ensureDependencies, runMain } from "./prepare.mjs";
import { ROOT, runScript, runTool } from "./tools.mjs";

/**
 * A step's `run` answers with an exit code and what to show when it is not 0. `fix` says what a person does then.
 *
 * @typedef {{name: string, fix: string, run: () => Promise<{code: number, output: string}>}} Step
 * @type {readonly Step[]}
 */
const STEPS = [
  {
    name: "format and lint",
    fix: "npm run format corrects what can be corrected by itself",
    run: () => runTool("biome", ["check", "--error-on-warnings", "--max-diagnostics=100", "."]),
  },
  {
    name: "imports follow the table of rings, and file names say something",
    fix: "move the code, or change the table in scripts/rings.mjs",
    run: () => runScript("scripts/rings.mjs", []),
  },
  {
    name: "types",
    fix: "correct the code",
    run: () => runTool("tsc", ["--noEmit"]),
  },
  {
    name: "binding types match wrangler.toml",
    fix: "npm run types",
    run: () =>
      runTool("wrangler", ["types", "--include-runtime=false", "--check", "worker-configuration.d.ts"]),
  },
  {
    name: "wrangler.toml and the stages' files can be deployed",
    fix: "correct the file (docs/operations.md)",
    run: async () => {
      const output = checkFolder();
      return { code: output === "" ? 0 : 1, output };
    },
  },
  {
    name: "migrations match the schema",
    fix: "npm run migrations:generate -- --name verb_object",
    run: checkMigrations,
  },
  {
    name: "migrations take nothing away that running code uses",
    fix: "expand, deploy, contract (docs/operations.md), or say why in the file: -- contract: <why, and since which release nothing reads it>",
    run: () => runScript("scripts/migration-guard.mjs", ["--check"]),
  },
  {
    name: "docs/events.md and the events' JSON Schemas match the catalogue",
    fix: "npm run events:doc",
    run: () => runScript("scripts/events-doc.mjs", ["--check"]),
  },
  {
    name: "public/openapi.json matches the schemas and routes",
    fix: "npm run openapi",
    run: () => runScript("scripts/openapi.mjs", ["--check"]),
  },
  {
    name: "the client's types match the document, and it is small",
    fix: "npm run client",
    run: () => runScript("scripts/client.mjs", ["--check"]),
  },
  {
    name: "proto/ is well-formed, and its code is what it says",
    fix: "npm run proto",
    run: () => runScript("scripts/proto.mjs", ["--check"]),
  },
  {
    name: "schema.graphql is the GraphQL schema",
    fix: "npm run graphql:schema",
    run: () => runScript("scripts/graphql-schema.mjs", ["--check"]),
  },
];

readArguments({ command: "npm run check", flags: {} });

await runMain(async () => {
  await ensureDependencies();
  ensureEntryTypes();
  const results = await Promise.all(STEPS.map(runStep));
  const failed = results.filter(({ code }) => code !== 0);
  for (const { name, fix, output } of failed) {
    process.stdout.write(`\n--- ${name}\n${output.trim()}\n--- to correct it: ${fix}\n`);
  }
  const names = failed.map(({ name }) => name).join("; ");
  const passed = results.length - failed.length;
  process.stdout.write(`\n${passed} of ${results.length} checks passed${names && `, failed: ${names}`}\n`);
  return failed.length === 0 ? 0 : 1;
});

async function runStep(step) {
  const startedAt = Date.now();
  const { code, output } = await step.run();
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(`${code === 0 ? "ok    " : "FAILED"}  ${step.name} (${seconds} s)\n`);
  return { ...step, code, output };
}

/** Generates into a copy. A migration that appears there is missing in `migrations/`. */
async function checkMigrations() {
  // Inside the project, for drizzle-kit takes only a directory relative to where it runs.
  const parent = join(ROOT, "node_modules/.cache");
  mkdirSync(parent, { recursive: true });
  const copy = mkdtempSync(join(parent, "migrations-"));
  try {
    cpSync(join(ROOT, "migrations"), copy, { recursive: true });
    const { code, output } = await runTool("drizzle-kit", [
      ...["generate", "--dialect", "sqlite", "--schema", "./drizzle/schema"],
      ...["--out", relative(ROOT, copy), "--name", "uncommitted"],
    ]);
    const missing = readdirSync(copy).filter((name) => name.endsWith("_uncommitted.sql"));
    const statements = missing.map((name) => readFileSync(join(copy, name), "utf8"));
    if (missing.length > 0) return { code: 1, output: `not in migrations/ yet:\n${statements.join("\n")}` };
    // A change that could be a rename makes it ask, fail to, and still end with 0.
    const isUpToDate = code === 0 && output.includes("No schema changes");
    return { code: isUpToDate ? 0 : 1, output };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
