/**
 * Reads every line that is logged while tests run, and knows what must not be in one: addresses of people, passwords,
 * tokens, keys and hashes. `setup.ts` fails the test in whose time such a line was written.
 */
import { PLANTED } from "./planted-secrets";
import { TEST_SECRETS } from "./secrets";

const SIGNING_KEY = JSON.parse(TEST_SECRETS.JWT_SIGNING_KEYS).keys[0].d;

const PLAIN = [
  ...Object.values(PLANTED),
  ...[TEST_SECRETS.METRICS_TOKEN, TEST_SECRETS.EVENTS_TOKEN, TEST_SECRETS.DATA_KEY, SIGNING_KEY],
];

/** A mail address; a JWT; a webhook's secret; a password's hash. */
const SHAPES = [/[\w.+-]+@[\w-]+\.[a-z]{2,}/i, /\beyJ[\w-]{10,}\.[\w-]+/, /whsec_/, /\$?scrypt\$/];

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

export function isLeak(line: string): boolean {
  return PLAIN.some((secret) => line.includes(secret)) || SHAPES.some((shape) => shape.test(line));
}
