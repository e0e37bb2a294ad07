/**
 * `node scripts/calls-at-start.mjs <bundle>`: how many functions of a bundle are called while it is loaded, each as often
 * as it is called; prints the number. What the platform adds is stood in for by its names, for nothing of it may be used
 * before there is a request.
 */
import { readFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";

const [, , path] = process.argv;
const url = pathToFileURL(path).href;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith("cloudflare:")
      ? { url: standIn(specifier), shortCircuit: true }
      : next(specifier, context),
  // A bundle is a module, whatever its name and the folder's package.json say.
  load: (from, context, next) => next(from, from === url ? { ...context, format: "module" } : context),
});

const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
await import(url);
const { result } = await session.post("Profiler.takePreciseCoverage");
const { functions } = result.find((script) => script.url === url);
const calls = functions.reduce((sum, { ranges: [whole] }) => sum + whole.count, 0);
process.stdout.write(`${calls}\n`);

/** A module with every name that the bundle imports of it, as classes, for some are extended; who calls one at the start fails. */
function standIn(specifier) {
  const imports = readFileSync(path, "utf8").matchAll(/import\s*\{([^}]*)\}\s*from\s*"(cloudflare:[a-z]+)"/g);
  const names = [...imports]
    .filter(([, , from]) => from === specifier)
    .flatMap(([, list]) => list.split(",").map((one) => one.trim().split(/\s+as\s+/)[0]));
  const code = [...new Set(names)].map((name) => `export class ${name} {}`).join("\n");
  return `data:text/javascript,${encodeURIComponent(code)}`;
}
