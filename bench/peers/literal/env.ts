import type { RateLimiter } from "./rate-limiter";

export interface Actor {
  readonly id: string;
  readonly role: "user" | "admin";
}

export interface LiteralEnv {
  Bindings: {
    DB: D1Database;
    USER_CACHE: KVNamespace;
    RATE_LIMITER: DurableObjectNamespace<RateLimiter>;
    EVENTS: Queue<LiteralEvent>;
    EMAIL: SendEmail;
    JWT_SECRET: string;
    RATE_LIMIT_MAX: string;
  };
  Variables: { actor: Actor | null };
}

export interface LiteralEvent {
  readonly type: "user.created" | "user.updated" | "order.placed";
  readonly subject: string;
}
