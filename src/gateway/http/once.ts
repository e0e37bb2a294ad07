/** `Idempotency-Key` over HTTP: the answer is rendered before the commit, recorded with the effect, and replayed as it was. */
import type { Context } from "hono";
import type { ContentfulStatusCode, StatusCode } from "hono/utils/http-status";
import type { Outcome } from "../../kernel/errors";
import { type Attempt, KeyedAttempt, type Rendered, runOnce, unkeyed } from "../../platform/idempotency";
import { callerKey } from "../keyed-call";
import type { GatewayEnv } from "../request-context";
import { json } from "./answers";
import { problem } from "./problem";

/** How a route answers a value: its JSON, or nothing for null. */
export interface Reply<T> {
  readonly status: 200 | 201 | 202 | 204;
  /** Those that a replay must repeat. */
  readonly headers?: (value: T) => Readonly<Record<string, string>>;
}

/**
 * A route's unsafe call: with a key at most once, without one as it comes. Authentication and revocation were checked
 * before; permission is the use case's to check before it returns a replay.
 */
export async function once<T>(
  c: Context<GatewayEnv>,
  reply: Reply<T>,
  run: (attempt: Attempt<T>) => Promise<Outcome<T>>,
): Promise<Response> {
  const key = c.req.header("idempotency-key");
  if (key === undefined) return respond(c, reply, await run(unkeyed<T>()));
  const attempt = new KeyedAttempt<T>({
    call: {
      key,
      caller: callerKey(c.var.actor, c.req.header("cf-connecting-ip")),
      method: c.req.method,
      route: c.req.path,
      request: await c.req.text(),
    },
    rendering: { render: (value) => render(reply, value), parse },
    dataKey: c.var.config.DATA_KEY,
    scope: c.var.scope,
  });
  const outcome = await runOnce(attempt, run);
  if (attempt.replayed === null || !outcome.ok) return respond(c, reply, outcome);
  c.header("Idempotency-Replayed", "true");
  return send(c, attempt.replayed);
}

function respond<T>(c: Context<GatewayEnv>, reply: Reply<T>, outcome: Outcome<T>): Response {
  return outcome.ok ? send(c, render(reply, outcome.value)) : problem(c, outcome.refusal);
}

function render<T>({ status, headers }: Reply<T>, value: T): Rendered {
  return { status, headers: headers?.(value) ?? {}, body: value === null ? null : JSON.stringify(value) };
}

/** The record was written by this very call, by `render`: its method and path are part of the key. */
function parse<T>(body: string | null): T {
  return (body === null ? null : JSON.parse(body)) as T;
}

function send(c: Context<GatewayEnv>, { status, headers, body }: Rendered): Response {
  // Out of `Reply`, stored as a number.
  const response =
    body === null ? c.body(null, status as StatusCode) : json(c, body, status as ContentfulStatusCode);
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}
