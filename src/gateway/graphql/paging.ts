/** Connections' arguments as the lists' queries. */

import { type Outcome, refuse } from "../../kernel/errors";
import type * as z from "../../kernel/schema";
import { present, readInput, renamed } from "../input";
import { granted } from "./call-context";
import { PAGE_SIZE_DEFAULT } from "./page-size";

/** What connections call the members of a list's query. */
const NAMES = { limit: "first", cursor: "after" } as const;

export interface PageArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
}

/** A list's query, by the rules that REST reads its parameters by, where a number is text. */
export function listQuery<T extends z.ZodMiniType>(
  schema: () => T,
  { first, after }: PageArguments,
  filters: Readonly<Record<string, unknown>> = {},
): z.infer<T> {
  const limit = String(first ?? PAGE_SIZE_DEFAULT);
  return granted(readInput(schema, present({ ...filters, limit, cursor: after }), NAMES));
}

/** A list's outcome, its refusals in the connection's words. */
export function pageOf<T>(outcome: Outcome<T>): T {
  if (outcome.ok || outcome.refusal.violations === undefined) return granted(outcome);
  const { code, detail, violations, ...more } = outcome.refusal;
  return granted(refuse(code, detail, { ...more, violations: renamed(violations, NAMES) }));
}
