/** Zod schemas as Hono validators whose refusals are the contract's problem documents. */
import { zValidator } from "@hono/zod-validator";
import type { Context, Env, Input, MiddlewareHandler } from "hono";
import { validator } from "hono/validator";
import type { Violation } from "../../kernel/errors";
import { isUuid } from "../../kernel/ids";
import { onFirstCall } from "../../kernel/on-first-call";
import * as z from "../../kernel/schema";
import { violationsOf } from "../../kernel/violations";
import { byIdSchema } from "../input";
import type { GatewayEnv } from "../request-context";
import { problem } from "./problem";

type Parsed = { success: true } | { success: false; error: { issues: readonly z.core.$ZodIssue[] } };

function refuseBelow(root: string) {
  return (result: Parsed, c: Context) => {
    return result.success ? undefined : refuse(c, violationsOf(result.error.issues, root));
  };
}

function refuse(c: Context, violations: readonly Violation[]): Response {
  return problem(c as Context<GatewayEnv>, {
    code: "validation_failed",
    detail: "The request is not valid; `errors` points at each field.",
    violations,
  });
}

/** A request without a body counts as `{}`, whose missing fields are then named; a patch that lacks one is a slip. */
export const body = <T extends z.ZodMiniType>(schema: () => T) => {
  const refuseInvalid = refuseBelow("#");
  return atFirstRequest(() =>
    zValidator("json", schema(), (result, c) => {
      const isMissing = c.req.method === "PATCH" && c.req.header("content-type") === undefined;
      return isMissing ? refuse(c, [BODY_MISSING]) : refuseInvalid(result, c);
    }),
  );
};

const BODY_MISSING: Violation = { pointer: "#", code: "required", message: "A patch has a body." };

export const query = <T extends z.ZodMiniType>(schema: () => T) =>
  atFirstRequest(() => zValidator("query", schema(), refuseBelow("#/query")));

/** `:client` of a path. */
export const clientParam = <T extends z.ZodMiniType>(schema: () => T) =>
  atFirstRequest(() => zValidator("param", z.object({ client: schema() }), refuseBelow("#/path")));

/** `:id` of a path. Upper case is read as lower case, as RFC 9562 asks. What is plainly one needs no schema. */
export const idParam = validator("param", ({ id = "" }: Record<string, string>, c) => {
  if (isUuid(id)) return { id };
  const parsed = byIdSchema().safeParse({ id });
  return parsed.success ? parsed.data : refuse(c, violationsOf(parsed.error.issues, "#/path"));
});

/** A route's validator, made with its schema when the route is first asked for. */
function atFirstRequest<E extends Env, P extends string, I extends Input, R extends Response>(
  make: () => MiddlewareHandler<E, P, I, R>,
): MiddlewareHandler<E, P, I, R> {
  const made = onFirstCall(make);
  return (c, next) => made()(c, next);
}
