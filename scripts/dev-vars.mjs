/**
 * The text of a `.dev.vars` file. It is read as wrangler's dotenv reads it, but a line that dotenv would silently skip is
 * an error here. Node built-ins only.
 */

/** `NAME=value` or `NAME: value`, and whatever Windows puts in front of the first line. */
const ASSIGNMENT = /^\s*(?:export\s+)?([\w.-]+)\s*(?:=|:\s)(.*)$/;
const BLANK = /^\s*(?:#.*)?$/;
/** An opening quote, what it holds up to the closing one, and what follows that. */
const QUOTED = /^\s*(['"`])((?:\\\1|(?!\1)[\s\S])*)\1(.*)$/;
const OPENING_QUOTE = /^\s*['"`]/;

/**
 * Returns the variables by name, without their quotes. Of a name that occurs twice the last value counts.
 *
 * @param {string} text
 * @param {string} [file] its name, for messages
 * @returns {Map<string, string>}
 * **Errors**: names the first line that is no assignment, or whose quote does not end. It never shows the line, because
 * it may hold a secret.
 */
export function readVars(text, file = ".dev.vars") {
  const lines = text.split(/\r\n?|\n/);
  const variables = new Map();
  for (let index = 0; index < lines.length; index += 1) {
    if (BLANK.test(lines[index])) continue;
    const [, name, rest] = ASSIGNMENT.exec(lines[index]) ?? [];
    if (name === undefined) throw new Error(`${file}, line ${index + 1}: expected NAME=value`);
    const { value, lineCount } = valueAt(rest, lines.slice(index + 1));
    if (value === undefined)
      throw new Error(`${file}, line ${index + 1}: the quotes around the value of ${name} do not match`);
    variables.set(name, value);
    index += lineCount;
  }
  return variables;
}

/** Returns a value and how many of the following lines belong to it; a quoted one may have several. */
function valueAt(rest, following) {
  if (!OPENING_QUOTE.test(rest)) return { value: rest.split("#")[0].trim(), lineCount: 0 };
  for (let lineCount = 0; lineCount <= following.length; lineCount += 1) {
    const text = [rest, ...following.slice(0, lineCount)].join("\n");
    const [, quote, value, tail] = QUOTED.exec(text) ?? [];
    if (value === undefined) continue;
    if (!BLANK.test(tail)) break;
    return { value: quote === '"' ? value.replaceAll("\\n", "\n") : value, lineCount };
  }
  return { value: undefined, lineCount: 0 };
}
