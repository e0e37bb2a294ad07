/**
 * Reads what a document tells its reader to type, and the answer that it shows: shell commands out of its `sh` fences,
 * answers out of the comment lines under a command, or out of the plain fence that follows. Pure.
 */

/**
 * @typedef {object} Instruction
 * @property {string} command as it stands, lines that go on included
 * @property {string | null} shown the answer as it stands; null when none is shown
 * @property {number} line where it stands, from 1
 *
 * @param {string} text Markdown
 * @param {(command: string) => boolean} isWhole whether the shell has nothing more to wait for
 * @returns {Instruction[]} in order
 */
export function readInstructions(text, isWhole) {
  const instructions = [];
  let isAnswerDue = false;
  for (const fence of readFences(text)) {
    if (fence.language === "sh") {
      instructions.push(...readCommands(fence, isWhole));
      isAnswerDue = instructions.at(-1)?.shown === null;
    } else if (fence.language === "" && isAnswerDue) {
      instructions[instructions.length - 1].shown = fence.lines.join("\n");
      isAnswerDue = false;
    }
  }
  return instructions;
}

/** @returns {{language: string, lines: string[], firstLine: number}[]} */
function readFences(text) {
  const fences = [];
  let open = null;
  text.split("\n").forEach((line, index) => {
    const mark = /^```(\w*)/.exec(line);
    if (open === null && mark !== null) open = { language: mark[1], lines: [], firstLine: index + 2 };
    else if (open !== null && mark !== null) {
      fences.push(open);
      open = null;
    } else open?.lines.push(line);
  });
  if (open !== null) throw new Error(`the fence that opens before line ${open.firstLine} is never closed`);
  return fences;
}

function readCommands({ lines, firstLine }, isWhole) {
  const commands = [];
  let pending = null;
  for (const [index, line] of lines.entries()) {
    if (pending !== null) pending.command += `\n${line}`;
    else if (line.startsWith("#")) addToAnswer(commands.at(-1), line, firstLine + index);
    else if (line.trim() !== "") pending = { command: line, shown: null, line: firstLine + index };
    if (pending === null || line.endsWith("\\") || !isWhole(pending.command)) continue;
    commands.push(pending);
    pending = null;
  }
  if (pending !== null) throw new Error(`line ${pending.line}: the command has no end`);
  return commands;
}

function addToAnswer(command, line, number) {
  if (command === undefined) throw new Error(`line ${number}: an answer without a command`);
  const text = line.replace(/^# ?/, "");
  command.shown = command.shown === null ? text : `${command.shown}\n${text}`;
}
