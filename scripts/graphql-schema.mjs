/**
 * `npm run graphql:schema` writes schema.graphql out of the schema's code; with `--check` it only says whether the file
 * is what it would write.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { GENERATOR_FLAGS, readArguments } from "./arguments.mjs";
import { ROOT } from "./tools.mjs";

const FILE = join(ROOT, "schema.graphql");

const { values: flags } = readArguments({ command: "npm run graphql:schema", flags: GENERATOR_FLAGS });
const text = `${await printedSchema()}\n`;
if (flags.check) {
  const isCurrent = readText(FILE) === text;
  if (!isCurrent) process.stdout.write("schema.graphql is not what the code says\n");
  process.exitCode = isCurrent ? 0 : 1;
} else {
  writeFileSync(FILE, text);
}

/** The schema is TypeScript: bundled into a file that Node reads, with the one copy of graphql-js that may touch it. */
async function printedSchema() {
  const cache = join(ROOT, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "graphql-schema-"));
  const outfile = join(folder, "schema.mjs");
  try {
    await build({
      stdin: {
        contents: `import { lexicographicSortSchema, printSchema } from "graphql";
          import { schema } from "./src/gateway/graphql/schema/schema";
          export const printed = printSchema(lexicographicSortSchema(schema));`,
        resolveDir: ROOT,
      },
      bundle: true,
      platform: "node",
      mainFields: ["module", "main"],
      format: "esm",
      outfile,
      // Nothing in the schema asks for the Worker's own runtime until it is executed.
      plugins: [{ name: "no-runtime", setup: withoutRuntime }],
      logLevel: "error",
    });
    const { printed } = await import(pathToFileURL(outfile).href);
    return printed;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function withoutRuntime(on) {
  on.onResolve({ filter: /^cloudflare:/ }, ({ path }) => ({ path, namespace: "no-runtime" }));
  on.onLoad({ filter: /.*/, namespace: "no-runtime" }, () => ({
    contents:
      "export class DurableObject {} export class WorkerEntrypoint {} export const tracing = undefined;",
  }));
}

function readText(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
