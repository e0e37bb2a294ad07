/** Zod's issues as the contract's violations: a pointer, a code and a sentence, never the value. */

import type { Violation } from "./errors";
import type * as z from "./schema";

type Issue = z.core.$ZodIssue;

/** More than anyone reads; the first ones are enough to mend a request. */
const VIOLATIONS_MAX = 20;

/** @param root where the input came from: `#` for a body, `#/query`, `#/path`, `#/header` */
export function violationsOf(issues: readonly Issue[], root = "#"): Violation[] {
  return issues.flatMap((issue) => fromIssue(issue, root)).slice(0, VIOLATIONS_MAX);
}

function fromIssue(issue: Issue, root: string): Violation[] {
  const pointer = pointerTo(root, issue.path);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      pointer: pointerTo(pointer, [key]),
      code: "unknown_field",
      message: "This field is not known here.",
    }));
  }
  return [{ pointer, code: codeOf(issue), message: sentenceOf(issue) }];
}

function codeOf(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return isMissing(issue) ? "required" : "invalid_type";
    case "too_big":
      return issue.origin === "string" || issue.origin === "array" ? "too_long" : "too_big";
    case "too_small":
      return issue.origin === "string" || issue.origin === "array" ? "too_short" : "too_small";
    case "custom":
      return typeof issue.params?.code === "string" ? issue.params.code : "invalid";
    default:
      return issue.code;
  }
}

function sentenceOf(issue: Issue): string {
  return isMissing(issue) ? "This field is required." : issue.message;
}

function isMissing(issue: Issue): boolean {
  return issue.code === "invalid_type" && issue.message.endsWith("received undefined");
}

function pointerTo(root: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((pointer, key) => `${pointer}/${escapeSegment(String(key))}`, root);
}

/** Source: RFC 6901, sections 3 and 6. Bounded, for unknown keys are the client's own text. */
function escapeSegment(segment: string): string {
  const bounded = segment.slice(0, 100).toWellFormed();
  return encodeURIComponent(bounded.replaceAll("~", "~0").replaceAll("/", "~1")).replaceAll("%24", "$");
}
