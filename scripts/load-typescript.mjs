/** Loads modules of the Worker's source in Node, for scripts that write files out of it. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { ROOT } from "./tools.mjs";

/**
 * @param {string} contents an ES module in TypeScript, with imports relative to the project's root
 * @returns {Promise<any>} what it exports
 */
export async function loadTypeScript(contents) {
  const cache = join(ROOT, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "typescript-"));
  const outfile = join(folder, "module.mjs");
  try {
    await build({
      stdin: { contents, resolveDir: ROOT, loader: "ts" },
      bundle: true,
      platform: "node",
      format: "esm",
      outfile,
      // The Worker's own runtime is not there, and nothing that a script loads asks for it.
      plugins: [{ name: "no-runtime", setup: (on) => withoutRuntime(on) }],
      logLevel: "error",
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function withoutRuntime(on) {
  on.onResolve({ filter: /^cloudflare:/ }, ({ path }) => ({ path, namespace: "no-runtime" }));
  on.onLoad({ filter: /.*/, namespace: "no-runtime" }, () => ({
    contents: `export class DurableObject {} export class WorkerEntrypoint {} export const env = {};
      export const tracing = { enterSpan: (name, work) => work({ isTraced: false }) };`,
  }));
}
