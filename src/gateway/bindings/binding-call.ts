/**
 * A call over a service binding. Who calls is written in the binding's `props`, in the caller's configuration, which only
 * whoever deploys it can set: no argument of a call can make it another.
 */

import { type Actor, ANONYMOUS, ROLES } from "../../kernel/actor";
import { AppError, ERROR_CATALOGUE, type Outcome } from "../../kernel/errors";
import { onFirstCall } from "../../kernel/on-first-call";
import * as z from "../../kernel/schema";
import type { Config } from "../../platform/env";
import { isIdempotencyKey } from "../../platform/idempotency";
import type { Scope } from "../../platform/scope";
import { idSchema, present } from "../input";
import type { Services } from "../request-context";
import { type ByIdName, callUseCase, type Given, type ValueOf } from "../run-use-case";

const propsSchema = onFirstCall(() =>
  z.strictObject({
    actor: z.union([
      z.strictObject({ kind: z.literal("system"), name: z.string().check(z.minLength(1), z.maxLength(100)) }),
      z.strictObject({ kind: z.literal("user"), userId: idSchema(), role: z.enum(ROLES) }),
    ]),
  }),
);

/** What every call may say beside its arguments. */
export interface CallOptions {
  /** As `If-Match`. */
  readonly expectedVersion?: number;
  /** As `Idempotency-Key`. */
  readonly idempotencyKey?: string;
}

/** As a list's query over REST, but for `limit`, which is a number. */
export interface ListArguments {
  readonly limit?: number;
  readonly cursor?: string;
  readonly [filter: string]: unknown;
}

export interface BindingCall {
  readonly services: Services;
  readonly actor: Actor;
  readonly scope: Scope;
  readonly config: Config;
}

/**
 * The actor that the binding names; a stranger when it names none.
 * **Errors**: `internal` when `props` are not of the form that README.md of examples/service-caller shows.
 */
export function actorOf(props: unknown): Actor {
  if (props === undefined || props === null || Object.keys(props).length === 0) return ANONYMOUS;
  const parsed = propsSchema().safeParse(props);
  if (!parsed.success) throw new AppError("internal", "the service binding's props name no actor");
  const { actor } = parsed.data;
  return actor.kind === "user" ? { ...actor, sessionId: null } : actor;
}

/**
 * Runs a use case and logs what it throws.
 * **Errors**: a failure with its message, but without its cause, which would travel to the caller; a bug as `internal`, whose
 * message says nothing of it.
 */
export async function masked<T>({ log }: Pick<Scope, "log">, useCase: () => Promise<T>): Promise<T> {
  try {
    return await useCase();
  } catch (error) {
    log.log("error", "binding.failed", { error });
    throw shownError(error);
  }
}

function shownError(error: unknown): AppError {
  if (!(error instanceof AppError)) return new AppError("internal", ERROR_CATALOGUE.internal.explanation);
  const { code, message, isRetryable, retryAfterSeconds } = error;
  const retry = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  return new AppError(code, message, { isRetryable, ...retry });
}

/** Runs a use case for another Worker. **Errors**: as `callUseCase`; `validation_failed` for a malformed key. */
export async function performFor<N extends ByIdName>(
  { services, actor, scope, config }: BindingCall,
  name: N,
  { idempotencyKey: key, ...given }: Omit<Given, "place"> & { readonly idempotencyKey?: string | undefined },
): Promise<Outcome<ValueOf<N>>> {
  if (key !== undefined && !isIdempotencyKey(key)) return refuseKey();
  const caller = { services, actor, scope, key, dataKey: config.DATA_KEY, address: undefined };
  return await callUseCase({ ...caller, ...BINDING, begun: 0 }, name, given);
}

/** A binding has no budget, no headers and no names of its own. */
const BINDING = {
  protocol: "binding",
  names: {},
  admitAgain: async () => null,
  onReplay: () => undefined,
  onSecret: () => undefined,
} as const;

/** A list's arguments as the query that REST reads, where a number is text. */
export function queryOf({ limit, ...filters }: ListArguments): Record<string, unknown> {
  return present({ ...filters, limit: limit && String(limit) });
}

function refuseKey(): Outcome<never> {
  const violation = {
    pointer: "#/idempotencyKey",
    code: "invalid_format",
    message: "Must be 1 to 255 visible ASCII characters.",
  };
  return {
    ok: false,
    refusal: {
      code: "validation_failed",
      detail: "The idempotency key is not valid.",
      violations: [violation],
    },
  };
}
