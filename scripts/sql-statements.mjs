/**
 * Reads SQL as SQLite's tokenizer does, so that neither comments, literals, quotes, case nor line breaks hide a word.
 * Source: https://www.sqlite.org/lang_keywords.html (four ways to quote), https://www.sqlite.org/lang_comment.html
 */

const TOKEN = new RegExp(
  [
    String.raw`(?<comment>--[^\n]*|/\*.*?(?:\*/|$))`,
    "(?<text>'(?:[^']|'')*(?:'|$))",
    String.raw`(?<name>"(?:[^"]|"")*(?:"|$)|\x60(?:[^\x60]|\x60\x60)*(?:\x60|$)|\[[^\]]*(?:\]|$))`,
    String.raw`(?<word>[A-Za-z_\u0080-\uFEFE\uFF00-\u{10FFFF}][\w$\u0080-\u{10FFFF}]*)`,
    String.raw`(?<number>\d[\w.]*)`,
    String.raw`(?<space>[ \t\n\f\r\uFEFF]+)`,
    "(?<mark>.)",
  ].join("|"),
  "gsu",
);

/**
 * @typedef {object} Token
 * @property {"comment" | "text" | "name" | "word" | "number" | "mark"} kind `text` is a string literal, `name` a quoted
 *   identifier, `word` a keyword or a bare identifier
 * @property {string} value words in lower case, names and literals without their quotes
 * @property {number} depth how many parentheses are open around it
 * @property {number} line from 1
 */

/**
 * @typedef {object} Statement
 * @property {readonly Token[]} tokens without comments and without the final semicolon; never empty
 * @property {number} line where it begins, from 1
 */

/**
 * Splits SQL into its statements and its comments. A trigger's body belongs to the statement that creates it.
 *
 * @param {string} sql
 * @returns {{statements: Statement[], comments: Token[]}} in the order of the text
 */
export function readSql(sql) {
  const statements = [];
  const comments = [];
  let open = [];
  const close = () => {
    if (open.length > 0) statements.push({ tokens: open, line: open[0].line });
    open = [];
  };
  for (const token of tokensOf(sql)) {
    if (token.kind === "comment") comments.push(token);
    else if (isMark(token, ";") && (!isTrigger(open) || endsBody(open))) close();
    else open.push(token);
  }
  close();
  return { statements, comments };
}

function* tokensOf(sql) {
  let line = 1;
  let depth = 0;
  for (const { 0: raw, groups } of sql.matchAll(TOKEN)) {
    const kind = Object.keys(groups).find((name) => groups[name] !== undefined);
    if (raw === ")") depth = Math.max(0, depth - 1);
    if (kind !== "space") yield { kind, value: contentOf(kind, raw), depth, line };
    if (raw === "(") depth += 1;
    line += raw.split("\n").length - 1;
  }
}

function contentOf(kind, raw) {
  if (kind === "text" || kind === "name") return raw.slice(1, -1);
  return kind === "word" ? raw.toLowerCase() : raw;
}

function isMark(token, value) {
  return token?.kind === "mark" && token.value === value;
}

/** `CREATE [TEMP | TEMPORARY] TRIGGER`, the one statement with semicolons inside. */
function isTrigger(tokens) {
  const words = tokens.slice(0, 3).map(({ value }) => value);
  return /^create (?:temp |temporary )?trigger/.test(words.join(" "));
}

/** A body ends with `; END`. A `CASE ... END` never does, for no semicolon stands before its end. */
function endsBody(tokens) {
  return tokens.at(-1)?.value === "end" && isMark(tokens.at(-2), ";");
}
