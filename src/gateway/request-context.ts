/** What the protocols share of a request: its services, its actor, and how both are typed in Hono. */
import type { Actor } from "../kernel/actor";
import type { ErrorCode } from "../kernel/errors";
import type { Config } from "../platform/env";
import type { HealthReport } from "../platform/health";
import type { Scope } from "../platform/scope";
import type { UserService } from "../services/users";

/** Built per request by `wiring.ts`. */
export interface Services {
  readonly users: UserService;
  readonly health: () => Promise<HealthReport>;
  /** The latest D1 bookmark of this request; null before its first D1 call. */
  readonly bookmark: () => string | null;
}

export type Wire = (env: Env, config: Config, scope: Scope) => Services;

export interface GatewayEnv {
  Bindings: Env;
  Variables: {
    requestId: string;
    config: Config;
    scope: Scope;
    services: Services;
    actor: Actor;
    /** Of the refusal that was answered, for the log. */
    errorCode?: ErrorCode;
  };
}
