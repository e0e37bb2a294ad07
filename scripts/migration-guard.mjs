/**
 * `node scripts/migration-guard.mjs --check [directory]`: refuses a migration that breaks the code which runs now.
 *
 * `npm run deploy` migrates before it deploys, and in a gradual rollout two versions run at once. So a migration only
 * adds. One that takes something away says `-- contract: <why, and since which release nothing reads it>`.
 * The rules and their reasons are in docs/operations.md, "Migrations: expand, then contract".
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { runMain } from "./prepare.mjs";
import { mayHoldForEveryRow } from "./sql-conditions.mjs";
import { readSql } from "./sql-statements.mjs";
import { ROOT } from "./tools.mjs";

const EXCERPT_LENGTH_MAX = 80;
const IN_USE = "The code that runs now may still use it.";

/**
 * @typedef {{file: string, line: number, statement: string, why: string}} Breach `line` counts from 1, `statement` is an
 *   excerpt in one line
 */

/**
 * Returns the destructive statements of files without a reason. A `-- contract:` line with a reason covers its file.
 *
 * @param {readonly {name: string, sql: string}[]} migrations in the order in which they are applied: whether a dropped
 *   index was unique is read from the file that created it
 * @returns {Breach[]}
 */
export function guardMigrations(migrations) {
  /** @type {Map<string, boolean>} whether an index is unique */
  const indexes = new Map();
  return migrations.flatMap(({ name, sql }) => {
    const { statements, comments } = readSql(sql);
    const created = new Set();
    const breaches = statements.flatMap(({ tokens, line }) => {
      const why = breachOf(tokens, { indexes, created });
      remember(tokens, { indexes, created });
      return why === null ? [] : [{ file: name, line, statement: excerptOf(tokens), why }];
    });
    return comments.some(isContract) ? [] : breaches;
  });
}

/** The reason has at least one word: a dash or a full stop does not count. */
function isContract({ value }) {
  return /^--\s*contract:.*\p{L}{2}/iu.test(value);
}

/** Why the statement may break the code that runs now; null when it does not. */
function breachOf(tokens, known) {
  const words = skeletonOf(tokens);
  if (/^drop (?:table|view|trigger)\b/.test(words)) return IN_USE;
  if (/^drop index\b/.test(words) && known.indexes.get(namedBy(tokens)) !== false)
    return "A unique index holds a rule, and ON CONFLICT of the running code needs it.";
  if (/^create unique index\b/.test(words) && !known.created.has(tableOf(tokens)))
    return "The code that runs now may write duplicates.";
  if (/^alter table\b/.test(words)) return alterationOf(tokens);
  if (/^pragma\b/.test(words)) return pragmaOf(tokens);
  if (/^create (?:temp |temporary )?trigger\b/.test(words))
    return known.created.has(tableOf(tokens)) ? null : "It changes what the running code writes.";
  if (!/^(?:with|update|delete|insert|replace)\b/.test(words)) return null;
  return overwriteOf(tokens, known) ?? massChangeOf(tokens);
}

/** `REPLACE`, `... OR REPLACE` and `ON CONFLICT DO UPDATE`, of a table that this file does not create. */
function overwriteOf(tokens, { created }) {
  const outer = tokens
    .filter(({ depth }) => depth === 0)
    .map(({ kind, value }) => (kind === "word" ? value : "·"));
  const text = ` ${outer.join(" ")} `;
  const overwrites = / replace into | (?:insert|update) or replace | do update /.test(text);
  const into = tokens.findIndex(
    ({ kind, value, depth }) => kind === "word" && value === "into" && depth === 0,
  );
  const table = tokens[tokens[into + 2]?.value === "." ? into + 3 : into + 1]?.value.toLowerCase();
  if (!overwrites || (into !== -1 && created.has(table))) return null;
  return "It overwrites rows that the running code wrote.";
}

/** Every form of `ALTER TABLE` takes something away, but that which adds a column the running code may leave out. */
function alterationOf(tokens) {
  // ALTER TABLE [schema .] table ...
  const rest = tokens.slice(tokens[3]?.value === "." ? 5 : 3);
  const words = skeletonOf(rest.filter(({ depth }) => depth === 0));
  if (!/^add (?!constraint\b|check\b)/.test(words)) return IN_USE;
  const isRequired = / not null\b/.test(words) && !/ (?:default (?!null\b)|as \()/.test(words);
  return isRequired ? "The code that runs now does not write the column." : null;
}

/** `UPDATE` and `DELETE`, also behind `WITH`, whose own `WHERE` is missing or leaves no row out. */
function massChangeOf(tokens) {
  const outer = tokens.filter(({ depth, kind }) => depth === 0 && kind === "word").map(({ value }) => value);
  const isChange = outer.some((word, at) => /^(?:update|delete)$/.test(word) && outer[at - 1] !== "do");
  if (!isChange) return null;
  const where = tokens.findIndex(
    ({ kind, value, depth }) => depth === 0 && kind === "word" && value === "where",
  );
  const condition = where === -1 ? [] : tokens.slice(where + 1);
  return mayHoldForEveryRow(condition) ? "It may change every row." : null;
}

/** `PRAGMA [schema .] name = value`, or `name(value)`. */
function pragmaOf(tokens) {
  const [name, , value] = tokens.slice(tokens[2]?.value === "." ? 3 : 1).map((it) => it.value.toLowerCase());
  if (value === undefined) return null;
  if (name === "writable_schema") return "It lets a statement write over the schema.";
  const isOff = name === "foreign_keys" && !["on", "1", "yes", "true"].includes(value);
  return isOff ? "Rows may lose what they refer to." : null;
}

/** Remembers what a statement creates: indexes for later files, tables for the rest of this one. */
function remember(tokens, { indexes, created }) {
  const words = skeletonOf(tokens);
  if (/^create (?:unique )?index\b/.test(words)) indexes.set(namedBy(tokens), /^create unique/.test(words));
  if (/^create table (?!if\b)/.test(words)) created.add(namedBy(tokens));
}

/** The statement's words, with `·` for whatever is quoted, so that no literal or name looks like a keyword. */
function skeletonOf(tokens) {
  return tokens.map(({ kind, value }) => (kind === "text" || kind === "name" ? "·" : value)).join(" ");
}

/** The name behind `CREATE ... INDEX` and the like, without its schema, in lower case. */
function namedBy(tokens) {
  const object = tokens.findIndex(({ value }) => value === "index" || value === "table");
  const isGuarded = tokens[object + 1]?.value === "if";
  const first = object + 1 + (isGuarded ? (tokens[object + 2]?.value === "not" ? 3 : 2) : 0);
  return tokens[tokens[first + 1]?.value === "." ? first + 2 : first]?.value.toLowerCase();
}

/** The table that an index is made on. */
function tableOf(tokens) {
  const on = tokens.findIndex(({ kind, value }) => kind === "word" && value === "on");
  return tokens[on + 1]?.value.toLowerCase();
}

function excerptOf(tokens) {
  const text = tokens.map(({ value }) => value).join(" ");
  return text.length > EXCERPT_LENGTH_MAX ? `${text.slice(0, EXCERPT_LENGTH_MAX)}...` : text;
}

/** Returns two lines for each destructive statement of a folder: its place, and why it is refused. */
export function guardFolder(directory = join(ROOT, "migrations")) {
  const files = readdirSync(directory).filter((name) => name.endsWith(".sql"));
  const migrations = files.sort().map((name) => ({ name, sql: readFileSync(join(directory, name), "utf8") }));
  return guardMigrations(migrations).map(
    ({ file, line, statement, why }) => `${file}:${line}: ${statement}\n  ${why}`,
  );
}

function check(directory) {
  const breaches = guardFolder(directory);
  for (const breach of breaches) process.stdout.write(`${breach}\n`);
  return breaches.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [directory = join(ROOT, "migrations")] = process.argv.slice(2).filter((it) => !it.startsWith("--"));
  await runMain(async () => check(resolve(directory)));
}
