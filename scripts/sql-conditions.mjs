/** Judges conditions of SQL: whether a `WHERE` leaves any row out. */

const CONSTANTS = new Set([
  ...["true", "false", "null", "not", "is", "and", "or", "in", "between", "like", "exists", "select"],
]);
/** What may follow a condition. */
const AFTER = new Set(["returning", "order", "limit", "group", "having", "window"]);
const COLUMN = String.raw`[\p{L}_$][\p{L}\d_$]*(?: \. [\p{L}\d_$]+)*`;
/** Terms that hold for every row, or for every row with a value. */
const HOLDS = new RegExp(
  [
    `^${COLUMN} (?:is not null|not null|notnull)$`,
    `^not ${COLUMN} (?:is null|isnull)$`,
    `^(${COLUMN}) (?:=|= =|is|< =|> =) \\1$`,
    `^${COLUMN} (?:like '%+'|glob '\\*+')$`,
  ].join("|"),
  "u",
);
const IS_NULL = new RegExp(`^${COLUMN} (?:is null|isnull)$`, "u");

/**
 * Returns whether a condition may hold for every row of its table: it names no column, or only compares columns with
 * themselves or with NULL. It knows no more of SQL than that, so `rowid > 0` passes for a condition.
 *
 * @param {readonly import("./sql-statements.mjs").Token[]} condition what follows `WHERE`; empty without one
 * @returns {boolean}
 */
export function mayHoldForEveryRow(condition) {
  const end = condition.findIndex(
    ({ kind, value, depth }) => kind === "word" && depth === 0 && AFTER.has(value),
  );
  return holds(end === -1 ? condition : condition.slice(0, end));
}

function holds(tokens) {
  return splitAt(tokens, "or").some((operand) => splitAt(operand, "and").every(termHolds));
}

function termHolds(tokens) {
  if (isBracketed(tokens)) return holds(tokens.slice(1, -1));
  const [first, ...rest] = tokens;
  if (first?.value === "not" && isBracketed(rest) && IS_NULL.test(textOf(rest.slice(1, -1)))) return true;
  const namesColumn = tokens.some(
    ({ kind, value }) => kind === "name" || (kind === "word" && !CONSTANTS.has(value)),
  );
  return !namesColumn || HOLDS.test(textOf(tokens));
}

/** Splits at a keyword that stands in no brackets of its own. */
function splitAt(tokens, word) {
  const depth = Math.min(...tokens.map((token) => token.depth));
  const parts = [[]];
  for (const token of tokens) {
    if (token.kind === "word" && token.value === word && token.depth === depth) parts.push([]);
    else parts.at(-1).push(token);
  }
  return parts;
}

function isBracketed(tokens) {
  const [first] = tokens;
  if (first?.value !== "(" || first.kind !== "mark") return false;
  const isClosing = ({ kind, value, depth }) => kind === "mark" && value === ")" && depth === first.depth;
  return tokens.findIndex(isClosing) === tokens.length - 1;
}

function textOf(tokens) {
  return tokens
    .map(({ kind, value }) => {
      if (kind === "text") return `'${value}'`;
      return kind === "name" ? value.toLowerCase().replaceAll(/[^\p{L}\d_$]/gu, "_") : value;
    })
    .join(" ");
}
