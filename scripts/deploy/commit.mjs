/** Which commit is deployed: the version carries it, so that a running Worker leads back to its source. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ROOT } from "../tools.mjs";

const run = promisify(execFile);
const FILES_NAMED = 5;

/**
 * @typedef {object} Commit
 * @property {string | undefined} id all 40 digits; undefined when git is missing, or this folder has no commit
 * @property {readonly string[]} changed files of this folder that are changed or new since, ignored ones left out
 * @property {string | undefined} problem why there is no id
 */

/**
 * Asks git. **Cost**: two processes.
 *
 * @param {string} folder
 * @returns {Promise<Commit>}
 */
export async function readCommit(folder = ROOT) {
  try {
    const { stdout: id } = await run("git", ["rev-parse", "--verify", "HEAD"], { cwd: folder });
    const status = ["status", "--porcelain", "-z", "--no-renames", "--", "."];
    const { stdout } = await run("git", status, { cwd: folder, maxBuffer: 64 * 1024 * 1024 });
    const changed = stdout.split("\0").flatMap((line) => (line === "" ? [] : [line.slice(3)]));
    return { id: id.trim(), changed, problem: undefined };
  } catch (error) {
    const isMissing = error.code === "ENOENT";
    const said = String(error.stderr ?? error.message)
      .split("\n")[0]
      .replace(/^fatal: /, "");
    return { id: undefined, changed: [], problem: isMissing ? "git is not installed" : `git says "${said}"` };
  }
}

/**
 * Returns the flags by which wrangler records the commit with the version.
 *
 * @param {Commit} commit
 * @param {boolean} isDirty whether `--dirty` was given
 * **Errors**: one line that names the changed files, or says why there is no commit, when `isDirty` is false
 */
export function versionFlags({ id, changed, problem }, isDirty) {
  if (id === undefined) {
    if (!isDirty) throw new Error(`No commit to record: ${problem}. Commit this folder, or add --dirty`);
    return ["--tag", "no-commit", "--message", "no commit"];
  }
  if (changed.length > 0 && !isDirty) {
    const more = changed.length > FILES_NAMED ? ` and ${changed.length - FILES_NAMED} more` : "";
    const named = changed.slice(0, FILES_NAMED).join(", ") + more;
    throw new Error(`Not committed: ${named}. Commit them, or deploy them as they are with --dirty`);
  }
  const suffix = changed.length > 0 ? "-dirty" : "";
  return ["--tag", id.slice(0, 12) + suffix, "--message", `commit ${id}${suffix}`];
}
