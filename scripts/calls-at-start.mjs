/**
 * `node scripts/calls-at-start.mjs <dist/worker.js>`: prints how many calls of functions it takes to load a built Worker,
 * over all the chunks of its start. Stand-ins replace the platform's modules, because the Worker must not use the platform
 * before there is a request.
 */
import { readFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { registerHooks } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const [, , path] = process.argv;
const entry = pathToFileURL(path).href;
const folder = `${pathToFileURL(dirname(path)).href}/`;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith("cloudflare:")
      ? { url: standIn(specifier, context.parentURL), shortCircuit: true }
      : next(specifier, context),
  // The chunks are modules, whatever the nearest package.json says.
  load: (from, context, next) =>
    next(from, from.startsWith(folder) ? { ...context, format: "module" } : context),
});

const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
await import(entry);
const { result } = await session.post("Profiler.takePreciseCoverage");
const calls = result
  .filter(({ url }) => url.startsWith(folder))
  .flatMap(({ functions }) => functions)
  .reduce((sum, { ranges: [whole] }) => sum + whole.count, 0);
process.stdout.write(`${calls}\n`);

/** A module with each name that the importer takes from it. All are classes, because some are extended. */
function standIn(specifier, importer) {
  const code = readFileSync(fileURLToPath(importer), "utf8");
  const imports = code.matchAll(/import\s*\{([^}]*)\}\s*from\s*"(cloudflare:[a-z]+)"/g);
  const names = [...imports]
    .filter(([, , from]) => from === specifier)
    .flatMap(([, list]) => list.split(",").map((one) => one.trim().split(/\s+as\s+/)[0]));
  const exports = [...new Set(names)].map((name) => `export class ${name} {}`).join("\n");
  return `data:text/javascript,${encodeURIComponent(exports)}`;
}
