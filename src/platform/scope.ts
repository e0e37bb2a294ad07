/** What every service gets of the request (or message, or cron tick) that it works for. Built by `worker.ts`. */
import type { Clock } from "../kernel/clock";
import type { NewId } from "../kernel/ids";
import type { Calls } from "./observability/calls";
import type { Logger } from "./observability/logger";

/** Who calls, as far as the edge knows. */
export interface Caller {
  /** `CF-Connecting-IP`, for budgets alone: never stored, never logged. */
  readonly address: string | null;
  readonly userAgent: string | null;
  /** `request.cf`: what the edge looked up, the place among it. */
  readonly cf: object | null;
}

export interface Scope {
  readonly requestId: string;
  /** W3C trace context of the caller or, failing that, our own; travels in event envelopes. */
  readonly traceparent: string;
  /** The client's `X-D1-Bookmark`, validated. Only ever compared: never passed to D1, stored or returned. */
  readonly clientBookmark: string | null;
  /** Absent for work that no request asked for. */
  readonly caller?: Caller;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly calls: Calls;
  readonly log: Logger;
  /**
   * Keeps the isolate for work of the request itself that must end even if its client hangs up. A failure that the work
   * does not handle itself is logged.
   */
  readonly waitUntil: (work: Promise<unknown>) => void;
  /**
   * Runs a task once the response is made, or at once where there is no response. Its calls are not the response's.
   * Never await it before the response. A failure that the task does not handle itself is logged.
   */
  readonly afterResponse: (task: () => Promise<unknown>) => void;
}

/** Starts a task that no caller awaits. What it throws before its first `await` rejects, too. */
export async function started(task: () => Promise<unknown>): Promise<void> {
  await task();
}

/** Waits for work that no caller awaits, and logs its failure. Never rejects: made for `waitUntil`. */
export async function unattended(work: Promise<unknown>, log: Logger): Promise<void> {
  try {
    await work;
  } catch (error) {
    log.log("error", "background.failed", { error });
  }
}
