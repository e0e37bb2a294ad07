/** The preconditions of an unsafe call. */
import type { Context } from "hono";
import { type Precondition, parseIfMatch } from "../../kernel/entity-tag";
import type { GatewayEnv } from "../request-context";

/**
 * `If-Match`, and `If-None-Match: *`, which says "only if there is nothing yet": no version matches then, so what exists
 * is 412 and what does not is 404, for PUT creates nothing here. Source: RFC 9110, sections 13.1.1, 13.1.2 and 13.2.2.
 */
export function preconditionOf(c: Context<GatewayEnv>): Precondition {
  const isForNothing = c.req.header("if-none-match")?.trim() === "*";
  return isForNothing ? { kind: "versions", versions: [] } : parseIfMatch(c.req.header("if-match"));
}
