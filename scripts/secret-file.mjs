/** Files that hold secrets: readable by their owner only, and never half-written. Node built-ins only. */
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";

const OWNER_ONLY = 0o600;

/**
 * Writes a file with mode 600, also over one that others could read: the mode that is given to `writeFileSync` counts for
 * new files only. The text is written beside the file and renamed into place, so a crash leaves the old text or the new one.
 *
 * @param {string} path
 * @param {string} text
 * **Errors**: one line when the file is a symbolic link, is read-only or is no file, or when its folder cannot be written.
 * What was there stays.
 */
export function writeSecretFile(path, text) {
  refuseToReplace(path);
  const aside = `${path}.${randomBytes(6).toString("hex")}.new`;
  try {
    const file = openSync(aside, "wx", OWNER_ONLY);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(aside, path);
  } catch (error) {
    rmSync(aside, { force: true });
    throw new Error(`${path} cannot be written: ${error.message}`);
  }
}

/**
 * Returns a secret file's text, or undefined when the file does not exist.
 *
 * @param {string} path
 * **Errors**: one line when it is a folder or cannot be read
 */
export function readSecretFile(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    const reason = error.code === "EISDIR" ? "it is a folder, and must be a file" : error.message;
    throw new Error(`${path} cannot be read: ${reason}`);
  }
}

/** Takes other users' rights to an existing file. Where that is not possible, it warns and goes on. */
export function makePrivate(path) {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
  if (process.platform === "win32" || (mode & 0o077) === 0) return;
  try {
    chmodSync(path, OWNER_ONLY);
  } catch (error) {
    process.stderr.write(`${path} holds secrets, and others can read it: ${error.message}\n`);
  }
}

/** Renaming replaces a link and a read-only file without a question, so both are refused here. */
function refuseToReplace(path) {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (found.isSymbolicLink())
    throw new Error(`${path} is a symbolic link, which is never written: put a file in its place`);
  if (!found.isFile()) throw new Error(`${path} cannot be written: it is not a file`);
  if ((found.mode & 0o200) === 0)
    throw new Error(`${path} is read-only: allow it to be written with chmod 600`);
}
