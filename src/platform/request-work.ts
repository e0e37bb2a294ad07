/**
 * The work of one request, in two parts: what its response waits for, and what follows the response.
 *
 * Both use the same `Database`, and so the same counter. The counter is drained when the response is made, and what
 * follows starts after that: so no call of what follows is counted as the response's.
 */
import { type Calls, drainCalls } from "./observability/calls";
import type { Logger } from "./observability/logger";
import { type Scope, started, unattended } from "./scope";

export interface RequestWork extends Pick<Scope, "waitUntil" | "afterResponse"> {
  /** Says that the response is made: returns the calls that it took, and starts the tasks that waited for it. */
  readonly respond: () => Calls;
}

interface RequestWorkOptions {
  /** Counts all calls of the request. */
  readonly calls: Calls;
  readonly log: Logger;
  /** The platform's `waitUntil`. */
  readonly keep: (work: Promise<unknown>) => void;
  /** Takes calls that were made after the response, whenever some work has ended. */
  readonly record: (calls: Calls) => void;
}

/** A client that hangs up stops nothing that was given to either function, and no task starts without its response. */
export function requestWork({ calls, log, keep, record }: RequestWorkOptions): RequestWork {
  let isResponded = false;
  let response: PromiseWithResolvers<void> | undefined;
  const waitUntil = (work: Promise<unknown>) =>
    keep(
      unattended(work, log).finally(() => {
        if (isResponded) record(drainCalls(calls));
      }),
    );
  const responded = () => {
    response ??= Promise.withResolvers<void>();
    return response.promise;
  };
  return {
    waitUntil,
    // The platform takes the promise now, while the request lives, although the task starts later.
    afterResponse: (task) => waitUntil(isResponded ? started(task) : responded().then(task)),
    respond() {
      isResponded = true;
      response?.resolve();
      return drainCalls(calls);
    },
  };
}
