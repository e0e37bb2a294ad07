/**
 * The reference at /docs is Swagger UI, served from our own assets: its two files are copied out of its npm package.
 * They are not in the repository, for the lock file names them.
 */
import { copyFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT } from "./tools.mjs";

const FILES = ["swagger-ui-bundle.js", "swagger-ui.css"];

/** Copies what is missing or of another size. */
export function ensureDocs() {
  for (const name of FILES) {
    const from = join(ROOT, "node_modules/swagger-ui-dist", name);
    const to = join(ROOT, "public/docs", name);
    if (sizeOf(from) !== sizeOf(to)) copyFileSync(from, to);
  }
}

function sizeOf(path) {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ensureDocs();
