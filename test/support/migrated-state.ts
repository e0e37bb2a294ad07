/** An empty database with the project's tables, for servers of their own. */
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureMigrations } from "../../scripts/prepare.mjs";
import { ROOT } from "../../scripts/tools.mjs";

const CACHE = join(ROOT, "node_modules/.cache");

/**
 * Returns a new folder for `wrangler dev --persist-to`. Wrangler migrates once for all of them, in five seconds of CPU, and
 * what it leaves is copied.
 */
export async function migratedState(): Promise<string> {
  const template = join(CACHE, `migrated-${digest()}`);
  if (!existsSync(template)) await makeTemplate(template);
  const state = mkdtempSync(join(tmpdir(), "meridian-state-"));
  cpSync(template, state, { recursive: true });
  return state;
}

/** Test files run at once, each in a process of its own: the first to finish wins, and the others use its folder. */
async function makeTemplate(template: string): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const own = mkdtempSync(join(CACHE, "migrating-"));
  await ensureMigrations(own, { isQuiet: true });
  try {
    renameSync(own, template);
  } catch {
    rmSync(own, { recursive: true });
  }
}

/** Whatever the files in the folder depend on. */
function digest(): string {
  const hash = createHash("sha256");
  const files = ["wrangler.toml", "node_modules/wrangler/package.json", ...migrations()];
  for (const file of files) hash.update(readFileSync(join(ROOT, file)));
  return hash.digest("hex").slice(0, 16);
}

function migrations(): string[] {
  const names = readdirSync(join(ROOT, "migrations")).filter((name) => name.endsWith(".sql"));
  return names.sort().map((name) => join("migrations", name));
}
