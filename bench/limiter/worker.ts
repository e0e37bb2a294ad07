/** The Worker that `bench/limiter.mjs` measures from outside: its own clock stands still while it computes. */

import { newId, systemClock } from "../../src/platform/clock";
import { LeaseBook } from "../../src/platform/limiter/lease-book";
import type { Ask } from "../../src/platform/limiter/lease-rule";
import { Limiter, type LimiterObject } from "../../src/platform/limiter/limiter";
import type { Policy } from "../../src/platform/limiter/policies";
import { systemSleep } from "../../src/platform/limiter/silence";
import { newCalls } from "../../src/platform/observability/calls";
import { createLogger } from "../../src/platform/observability/logger";

export { ClientLimiter } from "../../src/platform/limiter/client-limiter";

const POLICY: Policy = {
  name: "default",
  limit: 1_000_000_000,
  windowSeconds: 900,
  leaseMax: 100_000_000,
  isShadow: false,
};
const QUOTA = { limit: POLICY.limit, windowMs: 900_000, leaseMax: 10 };

let book: LeaseBook | undefined;
const calls = newCalls();

export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    const url = new URL(request.url);
    const count = Number(url.searchParams.get("count") ?? 1);
    const key = url.searchParams.get("key") ?? "user:bench";
    const object = env.CLIENT_LIMITER.getByName(key);
    switch (url.pathname) {
      case "/grants":
        return await grants(object, count, Number(url.searchParams.get("side") ?? 1));
      case "/decisions":
        return await decisions(newLimiter(env, context), count, key);
      case "/admit": {
        const { outcome } = await newLimiter(env, context).admit({
          clientKey: key,
          policy: { ...POLICY, limit: 100, leaseMax: null },
        });
        return new Response(outcome);
      }
      case "/calls":
        return Response.json(calls);
      default:
        return new Response("ready");
    }
  },
} satisfies ExportedHandler<Env>;

function newLimiter(env: Env, context: ExecutionContext): Limiter {
  book ??= new LeaseBook(newId());
  return new Limiter({
    objectOf: (name): LimiterObject => env.CLIENT_LIMITER.getByName(name),
    book,
    shield: async () => true,
    clock: systemClock,
    newId,
    sleep: systemSleep,
    isWakeable: true,
    calls,
    log: createLogger("error"),
    waitUntil: (work) => context.waitUntil(work),
    afterResponse: (task) => context.waitUntil(task()),
  });
}

/** So many asks of one object, so many side by side: each is one grant and one write. */
async function grants(object: LimiterObject, count: number, side: number): Promise<Response> {
  const one = async (): Promise<void> => {
    const ask: Ask = { id: newId(), isolate: "bench", waiting: 1, want: 10, returns: [] };
    await object.ask(ask, QUOTA);
  };
  for (let done = 0; done < count; done += side) await Promise.all(Array.from({ length: side }, one));
  return new Response(String(count));
}

/** So many admissions out of the isolate's memory: the leases are as large as they come. */
async function decisions(limiter: Limiter, count: number, clientKey: string): Promise<Response> {
  let admitted = 0;
  for (let done = 0; done < count; done += 1) {
    const { outcome } = await limiter.admit({ clientKey, policy: POLICY });
    admitted += outcome === "admitted" ? 1 : 0;
  }
  return new Response(String(admitted));
}
