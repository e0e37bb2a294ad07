/** Shortens what `wrangler dev` prints: its tables push the messages that matter off the terminal. */
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";

const BINDINGS = "Your Worker has access to the following bindings:";
const MODULES = "Attaching additional modules:";

/**
 * Returns whether a line is shown. The table of bindings is shown once, though wrangler prints it before and after the
 * start. The table of modules, which it prints at each reload, is not shown.
 *
 * @returns {(line: string) => boolean} for the lines of one server in their order
 */
export function tableFilter() {
  let hasBindings = false;
  /** Whether a line is the last one of the table that is left out; undefined outside of such a table. */
  let isLast;
  return (line) => {
    const text = stripVTControlCharacters(line).trim();
    if (text === MODULES) isLast = (row) => row.startsWith("└");
    if (text === BINDINGS && hasBindings) isLast = (row) => row === "";
    if (text === BINDINGS) hasBindings = true;
    if (isLast === undefined) return true;
    if (isLast(text)) isLast = undefined;
    return false;
  };
}

/**
 * Prints the output of a server without those tables.
 *
 * @param {import("node:stream").Readable} output
 */
export function printShortened(output) {
  const isShown = tableFilter();
  createInterface({ input: output }).on("line", (line) => {
    if (isShown(line)) process.stdout.write(`${line}\n`);
  });
}
