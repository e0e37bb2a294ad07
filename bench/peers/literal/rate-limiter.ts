/** express-rate-limit's counter as a Durable Object: a fixed window, one call a request, kept where an eviction cannot forget it. */
import { DurableObject } from "cloudflare:workers";

export interface Hit {
  readonly count: number;
  readonly resetAt: number;
}

export class RateLimiter extends DurableObject {
  async hit(windowMs: number): Promise<Hit> {
    const now = Date.now();
    const stored = this.ctx.storage.kv.get<Hit>("window");
    const open =
      stored !== undefined && now < stored.resetAt ? stored : { count: 0, resetAt: now + windowMs };
    const hit = { count: open.count + 1, resetAt: open.resetAt };
    this.ctx.storage.kv.put("window", hit);
    return hit;
  }
}
