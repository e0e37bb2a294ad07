/**
 * Tools that are too large to install for everybody: a folder under scripts/ with a lock file of its own, installed
 * beside the project when it is first asked for.
 */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { collect, ROOT, toolEnvironment } from "./tools.mjs";

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
  const npm = spawn("npm", ["ci", "--ignore-scripts", "--loglevel=error", "--workspaces=false"], {
    cwd: folder,
    env: toolEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32",
  });
  const { code, output } = await collect(npm);
  if (code !== 0) throw new Error(`what ${name} needs could not be installed\n${output}`);
  mkdirSync(join(folder, "done"));
  return folder;
}
