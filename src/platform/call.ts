/** The call of a use case: who makes it, under which key, and on which condition. The first argument of every use case. */
import { type Actor, ANONYMOUS } from "../kernel/actor";
import { NO_PRECONDITION, type Precondition } from "../kernel/entity-tag";
import { type CallKey, NO_KEY } from "./idempotency";

export interface Call {
  readonly actor: Actor;
  readonly key: CallKey;
  readonly precondition: Precondition;
}

/** Returns a call without a key and a precondition, unless they are given. */
export function callBy(actor: Actor = ANONYMOUS, more: Partial<Omit<Call, "actor">> = {}): Call {
  return { actor, key: NO_KEY, precondition: NO_PRECONDITION, ...more };
}
