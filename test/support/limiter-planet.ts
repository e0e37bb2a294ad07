/**
 * A planet of isolates and one client's object, in virtual time: the isolates are the real ones, the object is the
 * real rule over a store that an eviction falls back to, and the network between them delays, loses and repeats.
 */

import type { BudgetAnswer } from "../../src/platform/limiter/budget-answer";
import type { Grant } from "../../src/platform/limiter/client-limiter";
import { LeaseBook } from "../../src/platform/limiter/lease-book";
import {
  type Ask,
  decideAsk,
  EMPTY_STATE,
  type LimiterState,
  type Quota,
} from "../../src/platform/limiter/lease-rule";
import { Limiter } from "../../src/platform/limiter/limiter";
import type { Policy } from "../../src/platform/limiter/policies";
import { NO_REVOCATIONS } from "../../src/platform/limiter/revocations";
import { newCalls } from "../../src/platform/observability/calls";
import { createLogger } from "../../src/platform/observability/logger";
import type { VirtualTime } from "./virtual-time";

/** What the network does to one ask. */
export interface Transit {
  readonly thereMs: number;
  readonly backMs: number;
  readonly isLost: boolean;
  readonly isAnswerLost: boolean;
  /** The ask arrives a second time, so much later; null when it does not. */
  readonly repeatedAfterMs: number | null;
}

export const PROMPT: Transit = {
  thereMs: 1,
  backMs: 1,
  isLost: false,
  isAnswerLost: false,
  repeatedAfterMs: null,
};

/** Units that were admitted at an instant of true time. */
export interface Admitted {
  readonly at: number;
  readonly units: number;
}

interface SimulatedIsolate {
  readonly limiter: Limiter;
  isAlive: boolean;
  /** Requests that wait. */
  pending: number;
  /** Its clock less the true time. */
  offsetMs: number;
}

export class Planet {
  readonly time: VirtualTime;
  readonly policy: Policy;
  readonly quota: Quota;
  readonly isolates: SimulatedIsolate[];
  /** By the object for those who waited, at its instant; and out of leases, at the isolates'. */
  readonly admitted: Admitted[] = [];
  readonly faults: string[] = [];
  asks = 0;
  /** Admissions that waited for the object. */
  waits = 0;
  admissions = 0;
  refusals = 0;
  failures = 0;
  pending = 0;
  objectOffsetMs = 0;
  transit: Transit = PROMPT;
  #state: LimiterState = EMPTY_STATE;
  #stored: LimiterState = EMPTY_STATE;
  #ids = 0;

  constructor(options: { time: VirtualTime; policy: Policy; isolates: number }) {
    this.time = options.time;
    this.policy = options.policy;
    this.quota = {
      limit: options.policy.limit,
      windowMs: options.policy.windowSeconds * 1000,
      leaseMax: options.policy.leaseMax,
    };
    this.isolates = Array.from({ length: options.isolates }, () => this.#newIsolate(0));
  }

  /** A request at an isolate. Settles in virtual time. */
  async request(index: number): Promise<BudgetAnswer["outcome"] | "failed"> {
    const isolate = this.isolates[index % this.isolates.length];
    if (isolate === undefined) return "failed";
    isolate.pending += 1;
    this.pending += 1;
    const asked = { clientKey: "user:1", policy: this.policy };
    const admit = async () => isolate.limiter.admitFromMemory(asked) ?? (await isolate.limiter.admit(asked));
    const outcome = await admit()
      .then((admission) => {
        if (admission.decidedBy === "object") this.waits += 1;
        if (admission.decidedBy === "lease") this.admitted.push({ at: this.time.now, units: 1 });
        return admission.outcome;
      })
      .catch(() => "failed" as const);
    isolate.pending -= 1;
    this.pending -= 1;
    if (outcome === "admitted") this.admissions += 1;
    else if (outcome === "refused") this.refusals += 1;
    else this.failures += 1;
    return outcome;
  }

  moveIsolateClock(index: number, ms: number): void {
    const isolate = this.isolates[index % this.isolates.length];
    if (isolate !== undefined) isolate.offsetMs += ms;
  }

  /** For good: a clock that is set right again jumps forward, which is outside the promise. */
  setObjectClockBack(ms: number): void {
    this.objectOffsetMs -= ms;
  }

  /** The isolate goes, with all it remembers and all requests in it. */
  evictIsolate(index: number): void {
    const slot = index % this.isolates.length;
    const gone = this.isolates[slot];
    if (gone === undefined) return;
    gone.isAlive = false;
    this.pending -= gone.pending;
    this.isolates[slot] = this.#newIsolate(gone.offsetMs);
  }

  /** The object goes; what it did not store is forgotten. */
  evictObject(): void {
    this.#state = structuredClone(this.#stored);
  }

  #newIsolate(offsetMs: number): SimulatedIsolate {
    const id = String(this.#nextId());
    const book = new LeaseBook(id);
    const never = () => new Promise<never>(() => undefined);
    const isolate: SimulatedIsolate = {
      isAlive: true,
      pending: 0,
      offsetMs,
      limiter: new Limiter({
        book,
        shield: async () => true,
        clock: () => this.time.now + isolate.offsetMs,
        newId: () => String(this.#nextId()),
        sleep: async (ms) => {
          await this.time.sleep(ms);
          if (!isolate.isAlive) await never();
        },
        calls: newCalls(),
        isWakeable: true,
        log: createLogger("error"),
        waitUntil: () => undefined,
        afterResponse: (task) => void task(),
        objectOf: () => ({ ask: (ask) => this.#carry(ask, isolate), revoke: never }),
      }),
    };
    return isolate;
  }

  #carry(ask: Ask, isolate: SimulatedIsolate): Promise<Grant> {
    const { thereMs, backMs, isLost, isAnswerLost, repeatedAfterMs } = this.transit;
    const sent = structuredClone(ask);
    this.asks += 1;
    return new Promise((resolve) => {
      if (isLost) return;
      this.time.at(this.time.now + thereMs, () => {
        const answer = this.#decide(sent);
        if (isAnswerLost) return;
        this.time.at(this.time.now + backMs, () => {
          if (isolate.isAlive) resolve({ ...answer, revocations: NO_REVOCATIONS, isShadow: false });
        });
      });
      if (repeatedAfterMs !== null)
        this.time.at(this.time.now + thereMs + repeatedAfterMs, () => this.#decide(sent));
    });
  }

  #decide(ask: Ask) {
    const isRepeated = this.#state.leases.some((lease) => lease.id === ask.id);
    const { answer, state, isChanged } = decideAsk(
      this.#state,
      this.time.now + this.objectOffsetMs,
      ask,
      this.quota,
    );
    this.#state = state;
    if (isChanged) this.#stored = structuredClone(state);
    if (!isRepeated && answer.granted < ask.waiting && answer.remaining > 0)
      this.faults.push("refused while budget was free");
    if (!isRepeated && answer.admitted > 0) this.admitted.push({ at: this.time.now, units: answer.admitted });
    return answer;
  }

  #nextId(): number {
    this.#ids += 1;
    return this.#ids;
  }
}

/** The most units that any half-open window of this length holds. */
export function worstWindow(admitted: readonly Admitted[], windowMs: number): number {
  const inOrder = [...admitted].sort((a, b) => a.at - b.at);
  let worst = 0;
  let sum = 0;
  let oldest = 0;
  for (const { at, units } of inOrder) {
    sum += units;
    while ((inOrder[oldest]?.at ?? at) <= at - windowMs) {
      sum -= inOrder[oldest]?.units ?? 0;
      oldest += 1;
    }
    worst = Math.max(worst, sum);
  }
  return worst;
}
