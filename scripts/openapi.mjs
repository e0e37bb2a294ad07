/**
 * `npm run openapi` writes public/openapi.json out of the schemas that validate and the table of operations; with
 * `--check` it only says whether the file is what it would write.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { GENERATOR_FLAGS, readArguments } from "./arguments.mjs";
import { loadTypeScript } from "./load-typescript.mjs";
import { ROOT } from "./tools.mjs";

const FILE = join(ROOT, "public/openapi.json");

const { values: flags } = readArguments({ command: "npm run openapi", flags: GENERATOR_FLAGS });
const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const { openApiDocument } = await loadTypeScript(`export { openApiDocument } from "./contract/openapi";`);
const text = `${JSON.stringify(openApiDocument(version), null, 1)}\n`;

if (flags.check) {
  const isCurrent = readText(FILE) === text;
  if (!isCurrent) process.stdout.write("public/openapi.json is not what the schemas and operations say\n");
  process.exitCode = isCurrent ? 0 : 1;
} else {
  mkdirSync(dirname(FILE), { recursive: true });
  writeFileSync(FILE, text);
}

function readText(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
