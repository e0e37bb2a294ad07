/**
 * Errors as their developer reads them on the terminal: each message of the chain of causes, and each stack. Only
 * development prints them, because a foreign message can hold what a user entered.
 */
import { AppError } from "../../kernel/errors";
import { DatabaseError, databaseMessage, isThrownByDatabase } from "../database-error";
import { redactText } from "./redaction";

/** An error in two forms. */
export interface ExplainedError {
  /** The first line of each message, for the log line. */
  readonly error: string;
  /** Whole messages, each above its stack frames. */
  readonly stack: string;
}

const CAUSES_MAX = 4;

/** Returns the error and its causes, without the values of a database error; addresses and tokens are redacted. */
export function explainedError(error: unknown): ExplainedError {
  const messages: string[] = [];
  const lines: string[] = [];
  let current: unknown = error;
  while (messages.length < CAUSES_MAX && current !== undefined && current !== null) {
    const message = messageOf(current);
    lines.push(messages.length === 0 ? message : `caused by ${message}`);
    // An error and its cause share the frames of their callers.
    lines.push(...framesOf(current).filter((frame) => !lines.includes(frame)));
    messages.push(message);
    // What Drizzle wraps is part of its own message by now.
    current = current instanceof Error && !isQueryError(current) ? current.cause : undefined;
  }
  return {
    error: messages.map((message) => message.split("\n", 1)[0]).join(" <- "),
    stack: lines.join("\n"),
  };
}

function messageOf(error: unknown): string {
  // Ours are written for the log.
  if (error instanceof AppError) return `${error.name}: ${error.message}`;
  if (!(error instanceof Error)) return `thrown ${typeof error}: ${redactText(String(error))}`;
  return redactText(`${error.name}: ${foreignMessage(error)}`);
}

function foreignMessage(error: Error): string {
  if (isQueryError(error)) return databaseMessage(error.cause, [error.query]);
  const isRaw = isThrownByDatabase(error) && !(error instanceof DatabaseError);
  return isRaw ? databaseMessage(error, []) : error.message;
}

/** `DrizzleQueryError`, thrown by a query that is awaited by itself. Its message lists the parameters. */
interface QueryError extends Error {
  readonly query: string;
}

function isQueryError(error: Error): error is QueryError {
  return "query" in error && typeof error.query === "string" && "params" in error;
}

/** Returns the stack's frames. Its head repeats the message as it was thrown, so it is cut off. */
function framesOf(error: unknown): string[] {
  if (!(error instanceof Error) || error.stack === undefined) return [];
  const { stack, message } = error;
  const head = stack.indexOf(message);
  const frames = head === -1 ? stack : stack.slice(head + message.length);
  return frames.split("\n").filter((line) => /^\s+at /.test(line));
}
