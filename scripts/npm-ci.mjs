/** Installs a lock file's packages with npm, from its cache where it can. Node built-ins only. */
import { spawn } from "node:child_process";
import { collect } from "./tools.mjs";

/**
 * Warnings are left out: on Node 20 there is one for each tool that asks for a newer Node, and those get Node 24. One long
 * pause between attempts is enough to tell that there is no network.
 */
const COMMAND = ["ci", "--loglevel=error", "--fetch-retry-maxtimeout=10000"];

/** How npm says that it reached no registry, and that neither did its cache have everything. */
const UNREACHED =
  /code (EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT|UND_ERR_\w+)/;
/** The cache knows the package, but not yet this version of it. */
const IS_CACHE_OLD = /code (?:ETARGET|E404|ENOVERSIONS)/;

/**
 * Runs `npm ci`. What the cache holds is not asked for again: versions are pinned and checked by their digests, and
 * without a network npm would try each package for a minute before it took the cached one.
 *
 * @param {{cwd: string, flags?: readonly string[], env?: NodeJS.ProcessEnv}} options
 * **Errors**: one line when no registry answers; npm's own lines for anything else
 */
export async function npmCi(options) {
  const first = await runNpm(["--prefer-offline"], options);
  const { code, output } =
    first.code !== 0 && IS_CACHE_OLD.test(first.output) ? await runNpm([], options) : first;
  if (code === 0) return;
  const [, reason] = UNREACHED.exec(output) ?? [];
  if (reason === undefined) throw new Error(`npm ci failed\n${output.trim()}`);
  throw new Error(
    `The packages could not be installed: the npm registry does not answer (${reason}), and npm's cache does not have all of them. Run this again with a network.`,
  );
}

async function runNpm(extra, { cwd, flags = [], env = process.env }) {
  const args = [...COMMAND, ...flags, ...extra];
  const options = { cwd, env, stdio: ["ignore", "pipe", "pipe"] };
  // The npm that runs this script, if one does, because it is known to work here.
  const npm = process.env.npm_execpath;
  const child = npm?.endsWith("npm-cli.js")
    ? spawn(process.execPath, [npm, ...args], options)
    : spawn("npm", args, { ...options, shell: process.platform === "win32" });
  return await collect(child);
}
