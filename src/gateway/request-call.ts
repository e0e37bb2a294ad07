/** What the runner of use cases gets of an HTTP request, and what GraphQL and RPC need besides. */
import type { Context } from "hono";
import type { Actor } from "../kernel/actor";
import type { ErrorCode, Refusal } from "../kernel/errors";
import type { Scope } from "../platform/scope";
import type { Credentials, GatewayEnv, Services } from "./request-context";
import type { Requester } from "./run-use-case";

/** A request. Everything is read when it is used: a use case out of the isolate's memory uses two of its members. */
export class RequestCall implements Requester {
  readonly #c: Context<GatewayEnv>;
  readonly protocol: Requester["protocol"];
  readonly names: Requester["names"];
  begun = 0;

  constructor(
    c: Context<GatewayEnv>,
    protocol: Exclude<Requester["protocol"], "binding">,
    names: Requester["names"] = {},
  ) {
    this.#c = c;
    this.protocol = protocol;
    this.names = names;
  }

  get services(): Services {
    return this.#c.get("services");
  }

  /** Admission may not be decided yet when a safe call begins, and may change it. */
  get actor(): Actor {
    return this.#c.get("actor");
  }

  get scope(): Scope {
    return this.#c.get("scope");
  }

  get credentials(): Credentials {
    return this.#c.get("credentials");
  }

  get dataKey(): string {
    return this.#c.get("config").DATA_KEY;
  }

  get key(): string | undefined {
    return this.#c.req.header("idempotency-key");
  }

  get address(): string | undefined {
    return this.#c.req.header("cf-connecting-ip");
  }

  async admitAgain(): Promise<Refusal | null> {
    return await this.#c.get("admitAgain")();
  }

  onReplay(): void {
    this.#c.header("Idempotency-Replayed", "true");
  }

  /** Source: RFC 6749, section 5.1. */
  onSecret(): void {
    this.#c.header("Cache-Control", "no-store");
  }

  /** Called with each refusal that is answered, for the log. */
  onRefusal(code: ErrorCode): void {
    this.#c.set("errorCode", code);
  }
}
