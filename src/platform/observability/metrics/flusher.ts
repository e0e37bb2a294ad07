/**
 * Takes what an isolate has counted to its shard, after responses, in the background.
 *
 * The first recording after a flush starts a timer of `FLUSH_AFTER_MS` in its own request's `waitUntil`; what comes
 * until it rings goes along. So a busy isolate calls out once in five seconds, which is far less than once in a hundred
 * requests; an idle one once, for what is left; and what a killed one loses is younger than ten seconds.
 *
 * Only values are shared between requests: a timer whose request died is known by its time being past.
 */
import { AppError } from "../../../kernel/errors";
import type { NewId } from "../../../kernel/ids";
import { withDeadline } from "../../deadline";
import type { MetricsBatch } from "./batch";
import type { MetricCatalogue } from "./definition";
import type { Deltas, MetricsRecorder } from "./recorder";

export const FLUSH_AFTER_MS = 5_000;
/** A timer so late is taken for dead: the next request starts another. */
const TIMER_GRACE_MS = 2_000;
/** An attempt is given up after this, and another request may make the next. */
const SEND_DEADLINE_MS = 2_000;
/** Of one timer; the platform ends background work 30 s after the response. */
const ATTEMPTS_MAX = 3;
const RETRY_AFTER_MS = 1_000;
/** A batch that could not be delivered for so long is dropped: its shard may have forgotten the isolate since. */
const BATCH_LIFE_MS = 6 * 3_600_000;

/** The outside of one request, batch of messages or cron tick. */
export interface FlushContext {
  readonly add: (batch: MetricsBatch) => Promise<void>;
  /** What was delivered, once. Must not throw. */
  readonly onDelivered?: (deltas: MetricsBatch["deltas"]) => void;
  readonly clock: () => number;
  readonly newId: NewId;
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

interface Outgoing {
  readonly batch: MetricsBatch;
  readonly takenAtMs: number;
}

export class MetricsFlusher<Catalogue extends MetricCatalogue> {
  readonly #recorder: MetricsRecorder<Catalogue>;
  readonly #onFailure: (error: unknown) => void;
  #source: string | undefined;
  #sequence = 0;
  #timerDueAtMs: number | null = null;
  #outgoing: Outgoing | null = null;
  #sendingUntilMs = 0;

  /** @param onFailure counts an attempt that failed, in the recorder itself, and logs why */
  constructor(recorder: MetricsRecorder<Catalogue>, onFailure: (error: unknown) => void) {
    this.#recorder = recorder;
    this.#onFailure = onFailure;
  }

  /** To be called when something was recorded. Costs a comparison while a timer runs. */
  flushSoon(context: FlushContext): void {
    const now = context.clock();
    const isIdle = this.#recorder.isEmpty && this.#outgoing === null;
    if (isIdle || this.#isTimerRunning(now)) return;
    this.#timerDueAtMs = now + FLUSH_AFTER_MS;
    context.waitUntil(this.#flushAfter(context));
  }

  /**
   * Delivers what there is now. False when some of it is still here: an attempt failed, or another request is at it.
   * Never throws. **Cost**: 1 object call; 2 when an earlier batch was left.
   */
  async flush(context: FlushContext): Promise<boolean> {
    for (let turn = 0; turn < 2; turn += 1) {
      const outgoing = this.#next(context);
      if (outgoing === null) return true;
      const now = context.clock();
      if (now < this.#sendingUntilMs && this.#sendingUntilMs - now <= SEND_DEADLINE_MS) return false;
      this.#sendingUntilMs = now + SEND_DEADLINE_MS;
      if (!(await this.#sendBatch(outgoing, context))) return false;
    }
    return this.#recorder.isEmpty;
  }

  #isTimerRunning(now: number): boolean {
    const dueAt = this.#timerDueAtMs;
    // A clock set back would make a timer of the future: it is no timer.
    return dueAt !== null && now < dueAt + TIMER_GRACE_MS && dueAt - now <= FLUSH_AFTER_MS;
  }

  async #flushAfter(context: FlushContext): Promise<void> {
    await context.sleep(FLUSH_AFTER_MS);
    // What is recorded from here on starts a timer of its own: it may come too late for this one.
    this.#timerDueAtMs = null;
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
      if (await this.flush(context)) return;
      await context.sleep(RETRY_AFTER_MS * attempt);
    }
  }

  /** The batch that is owed, or a new one of all that was recorded; null when there is nothing. */
  #next({ clock, newId }: FlushContext): Outgoing | null {
    const now = clock();
    if (this.#outgoing !== null && now - this.#outgoing.takenAtMs < BATCH_LIFE_MS) return this.#outgoing;
    this.#outgoing = null;
    if (this.#recorder.isEmpty) return null;
    // Made at the first flush, for no randomness is allowed before the first request.
    this.#source ??= newId();
    this.#sequence += 1;
    const deltas = [...(this.#recorder.take() satisfies Deltas)];
    this.#outgoing = { batch: { source: this.#source, sequence: this.#sequence, deltas }, takenAtMs: now };
    return this.#outgoing;
  }

  async #sendBatch(outgoing: Outgoing, { add, onDelivered }: FlushContext): Promise<boolean> {
    try {
      await withDeadline(add(outgoing.batch), SEND_DEADLINE_MS, late);
    } catch (error) {
      if (this.#outgoing === outgoing) this.#sendingUntilMs = 0;
      this.#onFailure(error);
      return false;
    }
    // Another request may have taken this attempt for dead, and delivered the same batch.
    if (this.#outgoing === outgoing) {
      this.#outgoing = null;
      this.#sendingUntilMs = 0;
      onDelivered?.(outgoing.batch.deltas);
    }
    return true;
  }
}

function late(): AppError {
  return new AppError("unavailable", "the metrics shard did not answer in time");
}
