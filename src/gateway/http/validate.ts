/** Zod schemas as Hono validators whose refusals are the contract's problem documents. */
import { zValidator } from "@hono/zod-validator";
import type { Context } from "hono";
import { z } from "zod";
import { violationsOf } from "../../kernel/violations";
import type { GatewayEnv } from "../request-context";
import { problem } from "./problem";

type Parsed = { success: true } | { success: false; error: { issues: readonly z.core.$ZodIssue[] } };

function refuseBelow(root: string) {
  return (result: Parsed, c: Context) => {
    if (result.success) return undefined;
    return problem(c as Context<GatewayEnv>, {
      code: "validation_failed",
      detail: "The request is not valid; `errors` points at each field.",
      violations: violationsOf(result.error.issues, root),
    });
  };
}

export const body = <T extends z.ZodType>(schema: T) => zValidator("json", schema, refuseBelow("#"));
export const query = <T extends z.ZodType>(schema: T) => zValidator("query", schema, refuseBelow("#/query"));
const param = <T extends z.ZodType>(schema: T) => zValidator("param", schema, refuseBelow("#/path"));

/** `:id` of a path. Upper case is read as lower case, as RFC 9562 asks. */
export const idParam = param(z.object({ id: z.string().toLowerCase().pipe(z.uuid("Must be a UUID.")) }));
