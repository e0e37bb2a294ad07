/**
 * Keeps every line that is logged while tests run. `setup.ts` fails the test in whose time a secret was written, and
 * shows a failed test's lines.
 */
import { isLeak } from "./leaks";

export interface LogWatch {
  /** Lines since the last call, and those among them that tell a secret. */
  drain(): { readonly lines: readonly string[]; readonly leaks: readonly string[] };
  /** Hands lines to the test runner. Only from a test or a hook, never from a handler. */
  show(lines: readonly string[]): void;
}

const LINES_MAX = 20_000;

const keepers = new Set<(line: string) => void>();

/**
 * The console of this isolate, which the Worker, its objects and all test files share.
 *
 * Nothing goes on to the test runner's console by itself. What a handler logs cannot be sent from the handler's context;
 * the pool keeps it until the next message of the test's own context. Behind a file's last message there is none, and
 * the runner then waits for the line's receipt for ever.
 */
const showLine = console.log.bind(console);
for (const level of ["debug", "info", "log", "warn", "error"] as const) {
  console[level] = (...args: unknown[]) => {
    const line = args.map(String).join(" ");
    for (const keep of keepers) keep(line);
  };
}

/** Keeps each line from now on. Several watches see the same lines, each drained by itself. */
export function watchLogs(): LogWatch {
  let lines: string[] = [];
  keepers.add((line) => {
    if (lines.length < LINES_MAX) lines.push(line);
  });
  return {
    drain: () => {
      const drained = lines;
      lines = [];
      return { lines: drained, leaks: drained.filter(isLeak) };
    },
    show: (shown) => {
      if (shown.length > 0) showLine(shown.join("\n"));
    },
  };
}

/** The watch of the setup file, which runs for each test file, while this module is evaluated once. */
export const fileWatch = watchLogs();
