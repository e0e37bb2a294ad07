/**
 * What a fresh clone lacks: dependencies, secrets, migrated local storage. Each step looks first and does nothing when
 * nothing is missing, so every command begins with it. Node built-ins alone: it runs before anything is installed.
 */
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { executeSql } from "./database.mjs";
import { DatabaseLocked, isLocked, whileLocked } from "./database-lock.mjs";
import { readVars } from "./dev-vars.mjs";
import { readSet } from "./key-rotation.mjs";
import { npmCi } from "./npm-ci.mjs";
import { makePrivate, readSecretFile, writeSecretFile } from "./secret-file.mjs";
import { nodeBinary, ROOT, runTool } from "./tools.mjs";

/** Installs from the lock file when `node_modules` is absent or holds something else than the lock names. */
export async function ensureDependencies() {
  if (isInstalled()) return;
  say("Installing dependencies from the lock file (once, about a minute)");
  await npmCi({ cwd: ROOT });
  if (!existsSync(nodeBinary())) {
    throw new Error(
      "npm ci left no Node in node_modules: are install scripts disabled (npm config get ignore-scripts)?",
    );
  }
}

/**
 * Compares the lock file with the one that npm leaves inside `node_modules` when an installation is complete. Packages
 * for other platforms are optional and may be missing.
 */
function isInstalled() {
  if (!existsSync(nodeBinary())) return false;
  const installed = readJson(join(ROOT, "node_modules/.package-lock.json"))?.packages;
  const wanted = readJson(join(ROOT, "package-lock.json"))?.packages;
  if (installed === undefined || wanted === undefined) return false;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === "") return true;
    const found = installed[path];
    if (found === undefined) return optional === true;
    return found.version === version && existsSync(join(ROOT, path));
  });
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** How each secret of `wrangler.toml` is made. All are free of characters that a `.dev.vars` file would need quoted. */
const SECRETS = {
  JWT_SIGNING_KEYS: () => JSON.stringify({ keys: [newSigningKey()] }),
  METRICS_TOKEN: () => randomBytes(24).toString("base64url"),
  EVENTS_TOKEN: () => randomBytes(24).toString("base64url"),
  DATA_KEY: () => randomBytes(32).toString("base64url"),
};

/** Returns whether `newSecret` can make a secret. */
export function canMake(name) {
  return Object.hasOwn(SECRETS, name);
}

/** A fresh value of a secret of `wrangler.toml`. */
export function newSecret(name) {
  const make = SECRETS[name];
  if (make === undefined)
    throw new Error(
      `This script cannot make the secret ${name}: set it with npx wrangler secret put ${name}`,
    );
  return make();
}

function newSigningKey() {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const kid = `local-${randomBytes(6).toString("hex")}`;
  return { kid, alg: "ES256", use: "sig", ...privateKey.export({ format: "jwk" }) };
}

/**
 * Writes `.dev.vars` with fresh secrets when it is absent, and adds the ones that an older file lacks. Other users lose
 * their right to read it.
 *
 * @returns {string[]} the names of the secrets that were made
 * **Errors**: one line when the file is broken or cannot be written; it stays as it was
 */
export function ensureSecrets(path = join(ROOT, ".dev.vars")) {
  const present = readSecretFile(path) ?? "";
  const variables = readVars(present, path);
  if (variables.has("JWT_SIGNING_KEYS")) readSet(present, path);
  makePrivate(path);
  const missing = Object.keys(SECRETS).filter((name) => !variables.has(name));
  if (missing.length === 0) return missing;
  const start = present === "" || present.endsWith("\n") ? present : `${present}\n`;
  writeSecretFile(path, start + missing.map((name) => `${name}=${SECRETS[name]()}\n`).join(""));
  return missing;
}

/**
 * Brings the local database up to date. A stamp beside the state remembers which migrations it has, so that nothing
 * is started when nothing is pending.
 *
 * @param {string | undefined} persistTo the directory given to `wrangler dev --persist-to`
 * @param {{readonly isQuiet?: boolean}} [options] a quiet one does not print what takes so long
 * **Errors**: one line, and nothing is changed, when another version of this code made the database
 */
export async function ensureMigrations(persistTo, { isQuiet = false } = {}) {
  const state = stateDirectory(persistTo);
  const stamp = join(state, "meridian-migrations");
  const wanted = migrationsDigest();
  const isStamped = existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
  const isThere = existsSync(join(state, "v3/d1"));
  if (isStamped && isThere) return;
  if (!isQuiet) say("Migrating the local database");
  if (isThere) await refuseForeignDatabase(state, persistTo);
  const args = [
    ...["d1", "migrations", "apply", "DB", "--local"],
    ...(persistTo === undefined ? [] : ["--persist-to", persistTo]),
  ];
  await whileLocked(async () => {
    const result = await runTool("wrangler", args);
    if (isLocked(result)) throw new DatabaseLocked();
    if (result.code !== 0) throw new Error(`the local database could not be migrated\n${result.output}`);
  });
  mkdirSync(state, { recursive: true });
  writeFileSync(stamp, wanted);
}

/** Where local storage lives; relative directories are relative to the project, as for wrangler. */
export function stateDirectory(persistTo) {
  return resolve(ROOT, persistTo ?? ".wrangler/state");
}

/** Throws when the local database has a migration that is not in `migrations/`: its tables may be any. */
async function refuseForeignDatabase(state, persistTo) {
  const own = migrationNames();
  const applied = await whileLocked(() => appliedMigrations(persistTo));
  const foreign = applied.find((name) => !own.includes(name));
  if (foreign === undefined) return;
  throw new Error(
    `Another version of this code made the local database: it has the migration ${foreign}, which is not in migrations/. Delete the folder ${state}, with all local data: the next npm start makes a new one.`,
  );
}

async function appliedMigrations(persistTo) {
  try {
    const rows = await executeSql("select name from d1_migrations order by id", { persistTo });
    return rows.map(({ name }) => name);
  } catch (error) {
    if (error instanceof Error && error.message.includes("no such table: d1_migrations")) return [];
    throw error;
  }
}

function migrationsDigest() {
  const hash = createHash("sha256");
  for (const name of migrationNames())
    hash.update(`${name}\n`).update(readFileSync(join(ROOT, "migrations", name)));
  return hash.digest("hex");
}

function migrationNames() {
  const names = readdirSync(join(ROOT, "migrations"));
  return names.filter((name) => name.endsWith(".sql")).sort();
}

function say(line) {
  process.stdout.write(`${line}\n`);
}

/**
 * Runs a script's main function and turns what it throws into a line that a person can act on.
 *
 * @param {() => Promise<number | undefined>} main its result is the exit code
 */
export async function runMain(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}
