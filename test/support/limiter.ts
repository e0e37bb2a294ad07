/** Isolates of the limiter in one test process: each has a book of its own, all share the real objects. */
import { env } from "cloudflare:workers";
import { newId } from "../../src/platform/clock";
import { LeaseBook } from "../../src/platform/limiter/lease-book";
import { Limiter, type LimiterContext, type LimiterObject } from "../../src/platform/limiter/limiter";
import type { Policy } from "../../src/platform/limiter/policies";
import { systemSleep } from "../../src/platform/limiter/silence";
import { type Calls, newCalls } from "../../src/platform/observability/calls";
import { createLogger } from "../../src/platform/observability/logger";

export const DEFAULT_POLICY: Policy = {
  name: "default",
  limit: 100,
  windowSeconds: 900,
  leaseMax: null,
  isShadow: false,
};

export function realObject(name: string): LimiterObject {
  return env.CLIENT_LIMITER.getByName(name);
}

export interface Isolate {
  readonly limiter: Limiter;
  readonly book: LeaseBook;
  readonly calls: Calls;
}

/** One isolate, with whatever of its surroundings a test replaces. */
export function newIsolate(replaced: Partial<LimiterContext> = {}): Isolate {
  const book = replaced.book ?? new LeaseBook(newId());
  const calls = replaced.calls ?? newCalls();
  const limiter = new Limiter({
    objectOf: realObject,
    shield: async () => true,
    clock: Date.now,
    newId,
    sleep: systemSleep,
    isWakeable: true,
    log: createLogger("error"),
    waitUntil: () => undefined,
    afterResponse: (task) => void task(),
    ...replaced,
    book,
    calls,
  });
  return { limiter, book, calls };
}
