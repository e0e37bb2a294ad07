/** `Idempotency-Key` for GraphQL's mutations, RPC's unsafe calls and service bindings: what is recorded is the use case's result. */
import { type Actor, actorLabel } from "../kernel/actor";
import type { Outcome } from "../kernel/errors";
import { type Attempt, KeyedAttempt, type Rendering, runOnce, unkeyed } from "../platform/idempotency";
import { addressKey, userKey } from "../platform/limiter";
import type { Scope } from "../platform/scope";

/** Who makes the call, and with which key. */
export interface KeyedCaller {
  readonly actor: Actor;
  readonly scope: Scope;
  /** `DATA_KEY` */
  readonly dataKey: string;
  /** `Idempotency-Key`, well-formed; undefined without one. */
  readonly key: string | undefined;
  /** `CF-Connecting-IP` */
  readonly address: string | undefined;
  /** Told when the answer is an earlier call's. */
  readonly onReplay: () => void;
}

export interface KeyedOperation {
  readonly protocol: "graphql" | "rpc" | "binding";
  /** Names the use case, and its place in the request where there may be several. */
  readonly route: string;
  /** What makes two calls the same. */
  readonly input: unknown;
}

/**
 * With a key at most once, without one as it comes. Permission is the use case's to check before it returns a replay.
 * **Errors**: those of `run`; `idempotency_key_reused`; `idempotency_in_progress`.
 */
export async function keyedCall<T>(
  caller: KeyedCaller,
  { protocol, route, input }: KeyedOperation,
  run: (attempt: Attempt<T>) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  const { key, actor, address, dataKey, scope } = caller;
  if (key === undefined) return await run(unkeyed<T>());
  const attempt = new KeyedAttempt<T>({
    call: {
      ...{ key, route },
      caller: callerKey(actor, address),
      method: protocol,
      request: JSON.stringify(input),
    },
    rendering: asJson<T>(),
    dataKey,
    scope,
  });
  const outcome = await runOnce(attempt, run);
  if (attempt.replayed !== null && outcome.ok) caller.onReplay();
  return outcome;
}

/** Whose key it is: the user's, the Worker's or, without either, the address's. */
export function callerKey(actor: Actor, address: string | undefined): string {
  switch (actor.kind) {
    case "user":
      return userKey(actor.userId);
    case "system":
      return actorLabel(actor);
    case "anonymous":
      return addressKey(address);
  }
}

function asJson<T>(): Rendering<T> {
  return {
    render: (value) => ({ status: 200, headers: {}, body: value === null ? null : JSON.stringify(value) }),
    // The record was written by this very operation: its protocol and route are part of the key.
    parse: (body) => (body === null ? null : JSON.parse(body)) as T,
  };
}
