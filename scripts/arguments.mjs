/**
 * The command lines of `npm run` scripts, read by a table of their flags. What is not exactly understood stops the script
 * in one line, because a script that ignores a mistyped flag does something else than was meant. Node built-ins only.
 *
 * @typedef {{takes?: string, says?: string, needs?: string, check?: (value: string) => string | undefined}} Flag `takes`
 *   names the value of a flag that has one; `check` returns what a wrong value should have been; `needs` names the flag
 *   that it belongs to
 * @typedef {{command: string, flags: Readonly<Record<string, Flag>>, operands?: readonly string[], passesOn?: boolean}} Program
 *   `command` is how it is started, such as `npm run admin`; `operands` are the names of its arguments without a dash, of
 *   which those in square brackets may be left out; `passesOn` tells that flags outside of the table are for a tool
 */
import { parseArgs } from "node:util";
import { settingsFromNpm } from "./npm-settings.mjs";

/**
 * Reads the arguments of this run. Prints the usage and ends with 0 on `--help`, and prints one line and ends with 1 on a
 * fault.
 *
 * @param {Program} program
 * @returns {{values: Record<string, string | boolean | undefined>, operands: string[]}}
 */
export function readArguments(program) {
  const args = process.argv.slice(2);
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(usageOf(program));
    process.exit(0);
  }
  try {
    return parseArguments(program, args, process.env);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

/**
 * Parses a command line.
 *
 * @param {Program} program
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string | undefined>>} environment where npm leaves the flags that it took for itself
 * **Errors**: one line for a flag that is unknown, doubled, without its value or kept by npm, and for operands that are
 * missing or too many
 */
export function parseArguments(program, args, environment = {}) {
  const { command, flags, operands: names = [] } = program;
  refuseSwallowed(program, args, environment);
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { takes }]) => [name, { type: takes ? "string" : "boolean" }]),
  );
  // Not strict, because the tokens let us say what is wrong in our own words.
  const parsed = parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true });
  const seen = new Set();
  for (const token of parsed.tokens.filter(({ kind }) => kind === "option")) {
    refuse(problemOf(token, flags, seen), command);
    seen.add(token.name);
  }
  for (const name of seen) refuse(unmetNeedOf(name, flags, seen), command);
  const operands = parsed.positionals;
  if (operands.length > names.length)
    refuse(`Unexpected argument ${JSON.stringify(operands[names.length])}.`, command);
  if (operands.length < names.filter((name) => !name.startsWith("[")).length)
    throw new Error(`usage: ${synopsisOf(program)}`);
  return { values: parsed.values, operands };
}

function refuse(problem, command) {
  if (problem !== undefined) throw new Error(`${problem} See ${flagsOf(command)} --help`);
}

function unmetNeedOf(name, flags, seen) {
  const { needs } = flags[name];
  return needs === undefined || seen.has(needs) ? undefined : `--${name} belongs to --${needs}.`;
}

/**
 * Stops when flags stood in front of `--`: npm keeps those as settings of its own, and hands over only a value that
 * follows one it does not know. It stops on flags of the table, on what is close to one, and on every flag that npm does
 * not know. Scripts that pass their arguments on call this alone, so that only `takes` of each flag counts.
 *
 * @param {Program} program
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string | undefined>>} environment
 */
export function refuseSwallowed({ command, flags, operands = [], passesOn }, args, environment) {
  const rest = [...args];
  const unknown = [];
  const swallowed = settingsFromNpm(environment).flatMap(({ name, value, isUnknown }) => {
    const flag = closestFlag(name, flags);
    if (flag === undefined) {
      if (isUnknown) unknown.push(`--${name}${value === "true" ? "" : `=${value}`}`);
      return [];
    }
    const { takes } = flags[flag];
    if (takes === undefined) return [[`--${flag}`]];
    if (value !== "true") return [[`--${flag}`, value]];
    // What follows the operands is most likely its value.
    const isHandedOver = rest[operands.length]?.startsWith("-") === false;
    return [[`--${flag}`, isHandedOver ? rest.splice(operands.length, 1)[0] : takes]];
  });
  if (unknown.length > 0 && !passesOn)
    refuse(`Unknown flag ${unknown.join(" and ")}, which npm kept for itself.`, command);
  for (const flag of unknown) swallowed.push([flag]);
  if (swallowed.length === 0) return;
  const kept = swallowed.map(([name]) => name).join(" and ");
  const meant = [...rest, ...swallowed.flat()].join(" ");
  throw new Error(`npm kept ${kept} for itself. Put two dashes in front: ${flagsOf(command)} ${meant}`);
}

/**
 * Stops on a flag that is close to one of the table, for scripts that pass flags on to a tool with flags of its own.
 *
 * @param {Program} program
 * @param {readonly string[]} args
 */
export function refuseMisspelt({ command, flags }, args) {
  for (const argument of args) {
    const [, name] = /^--(?:no-)?([^=]+)/.exec(argument) ?? [];
    if (name === undefined || Object.hasOwn(flags, name)) continue;
    const meant = closestFlag(name, flags);
    if (meant !== undefined) refuse(`Unknown flag --${name}: did you mean --${meant}?`, command);
  }
}

/** Returns what is wrong with a flag, given the names of the flags before it. */
function problemOf({ name, rawName, value, inlineValue }, flags, seen) {
  const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
  if (flag === undefined) {
    const meant = closestFlag(name, flags);
    return `Unknown flag ${rawName}${meant === undefined ? "." : `: did you mean --${meant}?`}`;
  }
  if (seen.has(name)) return `--${name} is given twice.`;
  if (flag.takes === undefined) return inlineValue ? `--${name} takes no value.` : undefined;
  if (!value || (!inlineValue && value.startsWith("-")))
    return `--${name} takes a value: --${name} ${flag.takes}.`;
  const problem = flag.check?.(value);
  return problem && `--${name} ${JSON.stringify(value)}: ${problem}.`;
}

/** The flags of scripts that write generated files. */
export const GENERATOR_FLAGS = { check: { says: "writes nothing, and fails when a file is out of date" } };

/** Checks an address of a server, for `check`. */
export function problemOfUrl(value) {
  const isAddress = URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
  return isAddress ? undefined : "an address looks like http://localhost:8787";
}

/** Returns a `check` for a number that is at least so much. */
export function isAtLeast(min) {
  return (value) =>
    value.trim() !== "" && Number(value) >= min && Number.isFinite(Number(value))
      ? undefined
      : `a number from ${min} is expected`;
}

/** Returns a `check` for one of some names. */
export function isOneOf(names) {
  return (value) => (names.includes(value) ? undefined : `one of ${names.join(", ")} is expected`);
}

/** Returns the flag that a name means. */
function closestFlag(name, flags) {
  return closestName(name, Object.keys(flags));
}

/**
 * Returns the known name that a typed one means: the same but for case, hyphens and underscores, or one letter off where
 * the name is long enough.
 *
 * @param {string} name
 * @param {readonly string[]} known
 * @returns {string | undefined}
 */
export function closestName(name, known) {
  const plain = (text) => text.toLowerCase().replaceAll(/[-_]/g, "");
  const typed = plain(name);
  return known.find((each) => {
    const meant = plain(each);
    return typed === meant || (meant.length > 3 && isOneTypoAway(typed, meant));
  });
}

/** One letter more, less, other or swapped. */
function isOneTypoAway(typed, meant) {
  const start = [...meant].findIndex((letter, index) => typed[index] !== letter);
  if (start < 0) return typed.length === meant.length + 1;
  const [rest, expected] = [typed.slice(start), meant.slice(start)];
  const isSwapped = rest[0] === expected[1] && rest[1] === expected[0];
  return (
    rest.slice(1) === expected.slice(1) ||
    rest.slice(1) === expected ||
    rest === expected.slice(1) ||
    (isSwapped && rest.slice(2) === expected.slice(2))
  );
}

/** The command up to where its flags begin. One that names a judge has its two dashes already. */
function flagsOf(command) {
  return command.includes(" -- ") ? command : `${command} --`;
}

function synopsisOf({ command, flags, operands = [] }) {
  const parts = Object.entries(flags).map(([name, { takes }]) => `[--${name}${takes ? ` ${takes}` : ""}]`);
  return [flagsOf(command), ...operands, ...parts].join(" ");
}

/** What `--help` prints. */
function usageOf(program) {
  const names = Object.entries(program.flags).map(([name, { takes }]) => [`--${name}`, takes].join(" "));
  const width = Math.max(...names.map((name) => name.length));
  const lines = Object.values(program.flags).map(
    ({ says }, index) => `  ${names[index].padEnd(width)}  ${says}`,
  );
  return `usage: ${synopsisOf(program)}\n\n${lines.join("\n")}\n`;
}
