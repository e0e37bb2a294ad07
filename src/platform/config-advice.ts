/** What a developer reads about a configuration that is not valid, or that has a variable with a misspelt name. */
import type { core } from "../kernel/schema";
import { SECRET_VARIABLES } from "./variable-forms";

const VALUE_LENGTH_MAX = 100;

/** Returns a line for each fault: the variable, its form and what was found; of a secret only the form. */
export function faultLines(
  issues: readonly core.$ZodIssue[],
  env: object,
  forms: Readonly<Record<string, string>>,
): readonly string[] {
  return issues.map((issue) => {
    const [name = "", ...within] = issue.path.map(String);
    const place = within.length === 0 ? "" : `; at ${within.join(".")}: ${issue.message}`;
    return `  ${name}: expected ${forms[name] ?? "another value"}${place}; ${foundIn(env, name)}`;
  });
}

function foundIn(env: object, name: string): string {
  const value: unknown = Reflect.get(env, name);
  if (value === undefined) return "it is not set";
  if (SECRET_VARIABLES.has(name)) return "its value is not shown";
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? typeof value);
  const isLong = text.length > VALUE_LENGTH_MAX;
  return isLong ? `got "${text.slice(0, VALUE_LENGTH_MAX)}" and more` : `got "${text}"`;
}

/**
 * Returns each variable that the Worker does not know, with the known name that it is close to. Bindings are objects and
 * not looked at; names that are close to none are the adopter's own.
 */
export function misspeltVariables(
  env: object,
  known: readonly string[],
): readonly { variable: string; meant: string }[] {
  return Object.entries(env)
    .filter(([name, value]) => typeof value !== "object" && !known.includes(name))
    .flatMap(([variable]) => {
      const meant = known.find((name) => isClose(bare(variable), bare(name)));
      return meant === undefined ? [] : [{ variable, meant }];
    });
}

/** Case and underscores make no other name. */
function bare(name: string): string {
  return name.toUpperCase().replaceAll("_", "");
}

/** At most one slip in each four letters, and two in all. */
function isClose(a: string, b: string): boolean {
  return slipsBetween(a, b) <= Math.min(2, Math.floor(b.length / 4));
}

/** Counts the letters to add, drop, replace, or swap with their neighbour, that make `a` into `b`. */
function slipsBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwap = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const at = (cells: number[], index: number) => cells[index] ?? Number.POSITIVE_INFINITY;
      current.push(
        Math.min(
          at(last, column) + 1,
          at(current, column - 1) + 1,
          at(last, column - 1) + (isSame ? 0 : 1),
          isSwap ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    [beforeLast, last] = [last, current];
  }
  return last[b.length] ?? Number.POSITIVE_INFINITY;
}
