/**
 * Finds the flags that npm took for itself although it does not know them: `npm run deploy --frobnicate` hands
 * `npm_config_frobnicate` to the script, and no argument. Node built-ins only.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { readProc } from "./process-tree.mjs";

const PREFIX = "npm_config_";
/** npm sets these for scripts, and its table of settings does not have them. */
const SET_BY_NPM = ["node_gyp", "npm_version", "local_prefix", "global_prefix"];
const ANCESTORS_MAX = 5;

/**
 * Returns what npm hands over as settings and may have taken from the command line: `{name: "ulr", value: "x"}` of
 * `--ulr=x`, and `{name: "no-dirty", value: "true"}` of `--no-dirty`. `isUnknown` tells that npm itself has no such
 * setting, and that it comes neither from an `.npmrc` file nor, where the system shows that (Linux), from the environment
 * that npm was started in. When no npm runs the script, or its table of settings is not found, nothing is unknown.
 *
 * @param {Readonly<Record<string, string | undefined>>} environment
 * @returns {{name: string, value: string, isUnknown: boolean}[]}
 */
export function settingsFromNpm(environment) {
  const set = Object.entries(environment).filter(([variable]) => variable.startsWith(PREFIX));
  const known = knownSettings(environment.npm_execpath);
  const isForeign = ([variable]) => known !== undefined && !known.has(variable.slice(PREFIX.length));
  const foreign = set.filter(isForeign).map(([variable]) => variable);
  const elsewhere = foreign.length === 0 ? new Set() : settingsFromElsewhere(environment);
  return set.flatMap(([variable, value]) => {
    const name = variable.slice(PREFIX.length).replaceAll("_", "-");
    const isUnknown = foreign.includes(variable) && !elsewhere.has(variable.slice(PREFIX.length));
    if (value && value !== "false") return [{ name, value, isUnknown }];
    return isUnknown ? [{ name: `no-${name}`, value: "true", isUnknown }] : [];
  });
}

/** Returns every setting that the running npm knows; undefined when it cannot be asked, such as under another manager. */
function knownSettings(npm) {
  if (npm === undefined) return undefined;
  try {
    const { definitions } = createRequire(npm)("@npmcli/config/lib/definitions");
    return new Set([...Object.keys(definitions).map(variableOf), ...SET_BY_NPM]);
  } catch {
    return undefined;
  }
}

/** Returns the names that npm found in its files and in its environment. */
function settingsFromElsewhere(environment) {
  return new Set([...settingsInFiles(environment), ...settingsOfNpmItself()]);
}

/** Returns the names that the `.npmrc` files of the project, the user, the machine and npm itself set. */
function settingsInFiles({ npm_config_local_prefix: project, npm_config_userconfig, ...environment }) {
  const files = [
    project && join(project, ".npmrc"),
    npm_config_userconfig,
    environment.npm_config_globalconfig,
    join(dirname(dirname(environment.npm_execpath)), "npmrc"),
  ];
  return files
    .flatMap((file) => [...readText(file).matchAll(/^\s*([\w-]+)\s*(?:\[\])?\s*(?:=|$)/gm)])
    .map(([, name]) => variableOf(name));
}

/** Returns the names that npm found in its own environment. */
function settingsOfNpmItself() {
  let pid = process.ppid;
  for (let steps = 0; steps < ANCESTORS_MAX && !readText(`/proc/${pid}/comm`).startsWith("npm"); steps += 1)
    pid = readProc(pid)[0]?.[1];
  return [...readText(`/proc/${pid}/environ`).matchAll(/(?:^|\0)npm_config_(\w+)=/gi)].map(([, name]) =>
    variableOf(name),
  );
}

function variableOf(name) {
  return name.toLowerCase().replaceAll("-", "_");
}

function readText(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
