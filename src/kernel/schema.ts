/**
 * zod, as the whole Worker uses it: the form whose checks are functions, so that what no schema names is left out of the
 * bundle. `import * as z from` here, never from zod itself: this module also gives its issues their sentences, where a
 * schema has none of its own.
 */
import { config, type core } from "zod/mini";

config({ localeError: sentenceOf });

export * from "zod/mini";

/** The value that a schema gives which is made on its first call. */
export type Made<T extends () => core.$ZodType> = core.output<ReturnType<T>>;

/** The model that an output schema describes: its value, read-only at every depth. */
export type Model<T extends () => core.$ZodType> = ReadonlyDeep<Made<T>>;

type ReadonlyDeep<T> = T extends readonly (infer Item)[]
  ? readonly ReadonlyDeep<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: ReadonlyDeep<T[K]> }
    : T;

/**
 * What a browser accepts in an e-mail field. When one of zod's own patterns is asked for, all of them come.
 * Source: HTML, section 4.10.5.1.5.
 */
export const HTML_EMAIL =
  /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;

/** Labels of letters, digits and inner hyphens, 253 characters in all. Source: RFC 1123, section 2.1. */
export const HOST_NAME =
  /^(?=.{1,253}\.?$)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*\.?$/;

function sentenceOf(issue: core.$ZodRawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `Invalid input: expected ${issue.expected}, received ${kindOf(issue.input)}`;
    case "invalid_value":
      return `Invalid option: expected one of ${issue.values.map((value) => JSON.stringify(value)).join("|")}`;
    case "too_small":
      return `Too small: expected ${issue.inclusive === false ? ">" : ">="}${issue.minimum}${unitOf(issue.origin)}`;
    case "too_big":
      return `Too big: expected ${issue.inclusive === false ? "<" : "<="}${issue.maximum}${unitOf(issue.origin)}`;
    case "invalid_format":
      return issue.format === "regex" ? `Must match the pattern ${issue.pattern}` : `Invalid ${issue.format}`;
    default:
      return "Invalid input";
  }
}

/** As JSON calls it, or `undefined`. */
function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function unitOf(origin: string): string {
  if (origin === "string") return " characters";
  return origin === "array" ? " items" : "";
}
