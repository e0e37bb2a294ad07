/** A scope for tests of services and platform parts without HTTP: frozen time, real ids, silent log. */
import type { Clock } from "../../src/kernel/clock";
import { newId } from "../../src/platform/clock";
import { newCalls } from "../../src/platform/observability/calls";
import { createLogger } from "../../src/platform/observability/logger";
import type { Scope } from "../../src/platform/scope";

export const TEST_NOW_MS = Date.UTC(2026, 10, 22, 12, 0, 0);

const pending: Promise<unknown>[] = [];

/** Resolves when all that tests left to `waitUntil` so far is done: nothing of one test may run into the next. */
export async function settled(): Promise<void> {
  await Promise.allSettled(pending.splice(0));
}

export function testScope(clock: Clock = () => TEST_NOW_MS): Scope {
  return {
    requestId: "request-of-test",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    clientBookmark: null,
    clock,
    newId,
    calls: newCalls(),
    log: createLogger("error"),
    waitUntil: (work) => void pending.push(work),
  };
}
