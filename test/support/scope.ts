/** A scope for tests of services and platform parts without HTTP: frozen time, real ids, silent log. */
import type { Clock } from "../../src/kernel/clock";
import { newId } from "../../src/platform/clock";
import { type Calls, newCalls } from "../../src/platform/observability/calls";
import { createLogger } from "../../src/platform/observability/logger";
import { requestWork } from "../../src/platform/request-work";
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
    afterResponse: (task) => void pending.push(task()),
  };
}

interface TestRequest {
  readonly scope: Scope;
  /** Says that the response is made; call it before `settled`. Returns the calls that the response took. */
  readonly respond: () => Calls;
  /** The calls that followed the response, one entry for each piece of work that ended. */
  readonly later: readonly Calls[];
}

/** Returns a scope of a request, whose work after the response waits until the test has "made" the response. */
export function testRequest(clock?: Clock): TestRequest {
  const scope = testScope(clock);
  const later: Calls[] = [];
  const { respond, ...work } = requestWork({
    ...{ calls: scope.calls, log: scope.log },
    keep: (promise) => void pending.push(promise),
    record: (calls) => void later.push(calls),
  });
  return { scope: { ...scope, ...work }, respond, later };
}
