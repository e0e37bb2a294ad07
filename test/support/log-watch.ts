/** Reads every line that is logged while tests run. `setup.ts` fails the test in whose time a secret was written. */
import { isLeak } from "./leaks";

export interface LogWatch {
  /** Lines since the last call, and those among them that tell a secret. */
  drain(): { readonly lines: readonly string[]; readonly leaks: readonly string[] };
}

const LINES_MAX = 20_000;

/** Listens to the console of this isolate, which the Worker and its objects share. */
export function watchLogs(): LogWatch {
  let lines: string[] = [];
  const target: Record<string, unknown> = console as unknown as Record<string, unknown>;
  for (const level of ["debug", "info", "log", "warn", "error"]) {
    const original = target[level];
    if (typeof original !== "function") continue;
    target[level] = (...args: unknown[]) => {
      if (lines.length < LINES_MAX) lines.push(args.map(String).join(" "));
      Reflect.apply(original, console, args);
    };
  }
  return {
    drain: () => {
      const drained = lines;
      lines = [];
      return { lines: drained, leaks: drained.filter(isLeak) };
    },
  };
}
