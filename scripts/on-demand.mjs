/**
 * Tools that are too large to install for everybody: a folder under scripts/ with a lock file of its own, installed
 * beside the project when it is first asked for.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { npmCi } from "./npm-ci.mjs";
import { ROOT, toolEnvironment } from "./tools.mjs";

const LOCK = "package-lock.json";

/**
 * @param {string} name of the folder under scripts/
 * @returns {Promise<string>} where its node_modules is
 */
export async function ensureTools(name) {
  const own = join(ROOT, "scripts", name);
  const folder = join(ROOT, "node_modules/.cache", name);
  const lockIn = (path) => readFileSync(join(path, LOCK), "utf8");
  if (existsSync(join(folder, "done")) && lockIn(folder) === lockIn(own)) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const file of ["package.json", LOCK]) cpSync(join(own, file), join(folder, file));
  // None of their packages' install scripts is needed.
  const flags = ["--ignore-scripts", "--workspaces=false"];
  await npmCi({ cwd: folder, flags, env: toolEnvironment() });
  mkdirSync(join(folder, "done"));
  return folder;
}
