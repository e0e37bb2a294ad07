/**
 * Logs: one JSON object a line, which Workers Logs indexes by field. Fields are named by the caller and must not hold
 * addresses, tokens, passwords, hashes or mail bodies (`redaction.ts` replaces those that do). A field `error` may be what was
 * thrown: `describeError` then drops what a driver may have put into its message. In development it keeps the message, and
 * the stack follows the line as text of its own.
 */
import { AppError } from "../../kernel/errors";
import { type BuildTarget, buildTarget } from "../build-target";
import { explainedError } from "./explained-error";
import { redacting } from "./redaction";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  /** @param fields an `error` among them is text, or what was thrown */
  log(level: LogLevel, event: string, fields?: LogFields): void;
}

const ORDER: readonly LogLevel[] = ["debug", "info", "warn", "error"];

export function createLogger(
  minimum: LogLevel,
  fields: LogFields = {},
  target: BuildTarget = buildTarget,
): Logger {
  const write = target === "development" ? writeForDeveloper : writeLine;
  return {
    log(level, event, more = {}) {
      if (ORDER.indexOf(level) < ORDER.indexOf(minimum)) return;
      write(level, { level, event, ...fields, ...described(more, target) });
    },
  };
}

/** The fields with words in place of what was thrown. */
export function described(fields: LogFields, target: BuildTarget = buildTarget): LogFields {
  if (!("error" in fields) || typeof fields.error === "string") return fields;
  return { ...fields, ...describeError(fields.error, target) };
}

function writeLine(level: LogLevel, fields: Record<string, unknown>): void {
  console[level](lineOf(fields));
}

/**
 * Writes the line, then its stack. `wrangler dev` turns stack frames into lines of `src/` only when they are lines of
 * their own, and only in what `console.log` and `console.error` print.
 */
function writeForDeveloper(level: LogLevel, { stack, ...fields }: Record<string, unknown>): void {
  writeLine(level, fields);
  if (typeof stack === "string") console[level === "error" ? "error" : "log"](stack);
}

/**
 * Every request writes a line, and its fields are flat: a replacer, which is called for each, would double the cost.
 *
 * @param fields of this line alone: they are redacted in place
 */
function lineOf(fields: Record<string, unknown>): string {
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    if (typeof value === "object" && value !== null) return JSON.stringify(fields, redacting);
    const shown = redacting(name, value);
    if (shown !== value) fields[name] = shown;
  }
  return JSON.stringify(fields);
}

const CAUSES_MAX = 4;

/**
 * Returns an error and its causes as fields for the log. Messages of foreign errors are left out, because Drizzle and D1
 * put parameter values (addresses, hashes) into them; ours are written for the log and kept. In development every message
 * is kept, and `stack` is text for the terminal.
 */
export function describeError(error: unknown, target: BuildTarget = buildTarget): LogFields {
  if (target === "development") return { ...explainedError(error) };
  const chain: string[] = [];
  let current = error;
  for (let depth = 0; depth < CAUSES_MAX && current !== undefined && current !== null; depth += 1) {
    chain.push(current instanceof AppError ? `${current.name}: ${current.message}` : foreignSummary(current));
    current = current instanceof Error ? current.cause : undefined;
  }
  const stack = error instanceof Error ? stackFrames(error) : undefined;
  return { error: chain.join(" <- "), ...(stack === undefined ? {} : { stack }) };
}

/** Name, and of the message only what is known to be free of values: SQLite's result code. */
function foreignSummary(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const sqlite = /\bSQLITE_[A-Z_]+\b/.exec(error.message)?.[0];
  return sqlite === undefined ? error.name : `${error.name} (${sqlite})`;
}

/** Frames only: the first line of a stack repeats the message. */
function stackFrames(error: Error): string | undefined {
  const frames = error.stack?.split("\n").filter((line) => line.trimStart().startsWith("at "));
  return frames?.slice(0, 8).join("\n");
}
