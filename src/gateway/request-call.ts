/** What GraphQL and RPC take out of a request for the use cases that they call. */
import type { Context } from "hono";
import type { Actor } from "../kernel/actor";
import type { ErrorCode, Refusal } from "../kernel/errors";
import type { KeyedCaller } from "./keyed-call";
import type { Credentials, GatewayEnv, Services } from "./request-context";

export interface RequestCall extends KeyedCaller {
  readonly services: Services;
  readonly credentials: Credentials;
  /** Charges one more use case of this request; the refusal, if the gate refuses it. **Errors**: `unavailable`. */
  readonly admitAgain: () => Promise<Refusal | null>;
  /** Told when the answer holds tokens. */
  readonly onSecret: () => void;
  /** Told of each refusal that is answered, for the log. */
  readonly onRefusal: (code: ErrorCode) => void;
}

export function requestCall(c: Context<GatewayEnv>): RequestCall {
  const { services, credentials, scope, config } = c.var;
  return {
    services,
    credentials,
    scope,
    // Read late, for the gate may still be asking when a safe call begins.
    get actor(): Actor {
      return c.var.actor;
    },
    admitAgain: () => c.var.admitAgain(),
    dataKey: config.DATA_KEY,
    key: c.req.header("idempotency-key"),
    address: c.req.header("cf-connecting-ip"),
    // Tokens must not lie in any cache. Source: RFC 6749, section 5.1.
    onSecret: () => c.header("Cache-Control", "no-store"),
    onRefusal: (code) => c.set("errorCode", code),
    onReplay: () => c.header("Idempotency-Replayed", "true"),
  };
}
