/**
 * Builds the Worker out of `src/` into `dist/`: `worker.js` with the chunks that every isolate loads, and the chunks that
 * are loaded by the first call that needs them. Wrangler runs this before it serves or uploads, and after each saved
 * change under `wrangler dev`. It also brings the assets of GraphiQL and Swagger UI up to date.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { brokenWorker } from "./broken-build.mjs";
import { ensureDocs } from "./docs-assets.mjs";
import { ensureGraphiql } from "./graphiql.mjs";
import { ROOT } from "./tools.mjs";

export const ENTRY = "worker.js";
const OUTPUT = join(ROOT, "dist");

/** Lets `wrangler types` find the types of the exported classes beside the entry that it is given. */
const ENTRY_TYPES = {
  "worker.d.ts": 'export * from "../src/worker";\nexport { default } from "../src/worker";\n',
};

/**
 * Builds the Worker.
 *
 * @param {object} [options]
 * @param {"development" | "deployment"} [options.target] what the Worker is told as `BUILD_TARGET`. A deployment is
 *   minified; in development names and lines stay readable.
 * @param {boolean} [options.isMinified] for profiles of a deployment with readable names
 * @param {string} [options.outdir] emptied of everything that is not part of this build
 * @returns {Promise<import("esbuild").Metafile>} inputs and outputs, with paths relative to the project
 * **Errors**: esbuild's, with the file and line of the fault. The folder is then as it was.
 */
export async function buildWorker({
  target = "deployment",
  isMinified = target === "deployment",
  outdir = OUTPUT,
} = {}) {
  const { outputFiles, metafile } = await build({
    entryPoints: { worker: join(ROOT, "src/worker.ts") },
    absWorkingDir: ROOT,
    outdir,
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2024",
    plugins: [FIRST_CALLS],
    // As wrangler's own bundler resolves packages for Workers.
    conditions: ["workerd", "worker", "browser"],
    mainFields: ["browser", "module", "main"],
    external: ["cloudflare:*", "node:*"],
    minify: isMinified,
    chunkNames: "chunks/[name]-[hash]",
    sourcemap: "linked",
    define: {
      BUILD_TARGET: JSON.stringify(target),
      "process.env.NODE_ENV": target === "deployment" ? '"production"' : '"development"',
    },
    metafile: true,
    write: false,
    logLevel: "silent",
  });
  const files = new Map(Object.entries(ENTRY_TYPES));
  for (const { path, contents } of outputFiles) files.set(relative(outdir, path), contents);
  replaceFolder(outdir, files);
  return metafile;
}

/**
 * Marks the calls of `onFirstCall` as free of effects, because esbuild cannot see that across modules. The bundle then
 * leaves out what no module uses: schemas of answers serve the document and types alone.
 */
const FIRST_CALLS = {
  name: "first-calls",
  setup(on) {
    on.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      const contents = text.replace(/(?<=[=:] )onFirstCall\(/g, "/* @__PURE__ */ onFirstCall(");
      return contents === text ? undefined : { contents, loader: "ts" };
    });
  },
};

/** Writes the types of the entry alone, for type checks in a clone that was never built. */
export function ensureEntryTypes() {
  mkdirSync(OUTPUT, { recursive: true });
  for (const [name, text] of Object.entries(ENTRY_TYPES)) writeIfChanged(join(OUTPUT, name), text);
}

/** Returns the names of the modules in a folder that was built, the entry first. */
export function modulesIn(folder, entry = ENTRY) {
  const others = readdirSync(folder, { recursive: true, withFileTypes: true })
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
    .filter((name) => name.endsWith(".js") && name !== entry);
  return [entry, ...others];
}

/**
 * Makes a folder hold exactly these files. Old chunks go, because wrangler uploads whatever it finds. New files come
 * before old ones go, and each is renamed into place, so that a server that reads meanwhile finds a whole Worker.
 *
 * @param {ReadonlyMap<string, string | Uint8Array>} files contents by path within the folder
 */
function replaceFolder(folder, files) {
  // The entry names its chunks, so it is written when they are there.
  const names = [...files.keys()].sort((one, other) => Number(one === ENTRY) - Number(other === ENTRY));
  for (const name of names) {
    writeIfChanged(join(folder, name), files.get(name));
  }
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isDirectory() && !files.has(relative(folder, path))) rmSync(path, { force: true });
  }
}

function writeIfChanged(path, contents) {
  const wanted = Buffer.from(contents);
  try {
    if (wanted.equals(readFileSync(path))) return;
  } catch {
    // It is not there yet.
  }
  mkdirSync(dirname(path), { recursive: true });
  const aside = `${path}.${process.pid}.new`;
  writeFileSync(aside, wanted);
  renameSync(aside, path);
}

/**
 * Prints esbuild's messages as `file:line:column`, and leaves out the stack of this script. It then ends with 1; under
 * `wrangler dev` it writes a Worker that answers with the messages and ends with 0, because wrangler follows a failed
 * build with a hundred lines of its own, and lets every request wait.
 */
async function main() {
  ensureDocs();
  await ensureGraphiql();
  const isDevelopment = process.env.WRANGLER_COMMAND === "dev";
  try {
    await buildWorker({ target: isDevelopment ? "development" : "deployment" });
  } catch (error) {
    if (!Array.isArray(error?.errors)) throw error;
    process.stderr.write(await textOf(error.errors, process.stderr.isTTY === true));
    if (!isDevelopment) process.exitCode = 1;
    else writeIfChanged(join(OUTPUT, ENTRY), brokenWorker(await textOf(error.errors, false)));
  }
}

async function textOf(errors, color) {
  const { formatMessages } = await import("esbuild");
  return (await formatMessages(errors, { kind: "error", color })).join("");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
