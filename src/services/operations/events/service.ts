/** The event log for those who catch up with it, and the dead letters for those who mend them. */

import { type Actor, actorLabel } from "../../../kernel/actor";
import type { Page } from "../../../kernel/cursor";
import { done, type Outcome, refuse, refuseNotFound } from "../../../kernel/errors";
import type { CloudEvent } from "../../../kernel/event";
import { authorize } from "../../../kernel/permissions";
import type { Call } from "../../../platform/call";
import { change } from "../../../platform/change";
import type { ChangeTools, Decision } from "../../../platform/change-plan";
import type { CallKey } from "../../../platform/idempotency";
import { inSteps } from "../../../platform/in-steps";
import { type Keyset, purposeOf } from "../../../platform/keyset";
import { newMark, type PendingMark } from "../../../platform/mark";
import {
  type DeadLetter,
  DeadLetters,
  type EventLedger,
  EventLog,
  LETTERS,
  type Resolution,
  toDeadLetter,
} from "../../../platform/outbox";
import type {
  DiscardInput,
  ListDeadLettersQuery,
  ListEventsQuery,
  ReplayInput,
  ReplayReport,
} from "./schemas";

interface Dependencies extends ChangeTools {
  readonly keyset: Keyset;
  /** `PUBLIC_URL`, for the envelope. */
  readonly publicUrl: string;
}

/** Letters that one call replays. */
const REPLAY_MAX = 1_000;
/** Another call may resolve a letter between the read and the commit. The letters are then read again, so many times in all. */
const REPLAY_ROUNDS_MAX = 3;
/** Of 200 events each: nearly three million a day, at 3 queries a step. */
const RETENTION_BOUND = { rows: 200, steps: 10 };

export class EventService {
  readonly #on: Dependencies;
  readonly #log: EventLog;
  readonly #letters: DeadLetters;

  constructor(dependencies: Dependencies) {
    this.#on = dependencies;
    this.#log = new EventLog(dependencies.database, dependencies.publicUrl);
    this.#letters = new DeadLetters(dependencies.database);
  }

  /** Events in order of commit. **Errors**: `unauthenticated`, `forbidden`. **Cost**: 1 D1 round trip. */
  async list(call: Call, query: ListEventsQuery): Promise<Outcome<Page<CloudEvent>>> {
    const { actor } = call;
    const permitted = authorize(actor, "event.read");
    if (!permitted.ok) return permitted;
    return done(await this.#log.list(query, this.#on.scope.clientBookmark === null ? "nearest" : "primary"));
  }

  /** What became of one event. **Errors**: as `list`, and `not_found`. **Cost**: 1 D1 round trip. */
  async ledger(call: Call, id: string): Promise<Outcome<EventLedger>> {
    const { actor } = call;
    const permitted = authorize(actor, "event.read");
    if (!permitted.ok) return permitted;
    const ledger = await this.#log.ledger(id);
    return ledger === null ? refuseNotFound() : done(ledger);
  }

  /** Oldest first. **Errors**: `unauthenticated`, `forbidden`, `validation_failed` (cursor). **Cost**: 1 D1 round trip. */
  async listDeadLetters(call: Call, query: ListDeadLettersQuery): Promise<Outcome<Page<DeadLetter>>> {
    const { actor } = call;
    const permitted = authorize(actor, "event.replay");
    if (!permitted.ok) return permitted;
    return await this.#on.keyset.list(
      purposeOf("dead-letters", actor, query),
      query,
      (after) => this.#letters.page(query, after, query.limit),
      ({ createdAt }) => Date.parse(createdAt),
    );
  }

  /**
   * Gives the delivery fresh attempts, at once. **Errors**: `not_found`; `invalid_transition` when it is not open.
   * **Cost**: 2 D1 round trips.
   */
  async replay(call: Call, id: string): Promise<Outcome<DeadLetter>> {
    const by = actorLabel(call.actor);
    const outcome = await this.#resolve(call, id, "replayed", (mark) => ({
      writes: this.#letters.replayOne(mark, by),
    }));
    if (outcome.ok && !call.key.isReplay) this.#on.outbox.sweepSoon();
    return outcome;
  }

  /** Leaves the delivery dead, for a reason. **Errors and cost**: as `replay`. */
  async discard(call: Call, id: string, { reason }: DiscardInput): Promise<Outcome<DeadLetter>> {
    const by = actorLabel(call.actor);
    return await this.#resolve(call, id, "discarded", (mark) => ({
      writes: [this.#letters.discard(mark, by, reason)],
      details: { reason },
    }));
  }

  async #resolve(
    call: Call,
    id: string,
    state: "replayed" | "discarded",
    write: (mark: PendingMark) => Pick<Decision<DeadLetter>, "writes" | "details">,
  ): Promise<Outcome<DeadLetter>> {
    const permitted = authorize(call.actor, "event.replay");
    if (!permitted.ok) return permitted;
    const action = state === "replayed" ? "dead_letter.replay" : "dead_letter.discard";
    return await change(this.#on, call, {
      ...{ table: LETTERS, id, subject: `dead_letter:${id}`, action, noun: "dead letter" },
      select: this.#letters.selectById(id),
      rowOf: ([row]) => row ?? null,
      decide(row, mark) {
        if (row === null) return refuseNotFound();
        if (row.state !== "open") return refuseNotOpen();
        return done({ ...write(mark), answer: { ...toDeadLetter(row), state } });
      },
    });
  }

  /**
   * Replays the oldest open letters that match, 1000 a call, handed over at 50 a second.
   * **Errors**: `unauthenticated`, `forbidden`, those of the key; `unavailable` while others replay the same letters.
   * **Cost**: 2 D1 round trips, 1 more each time another was faster.
   */
  async replayMany(call: Call, input: ReplayInput): Promise<Outcome<ReplayReport>> {
    const { actor } = call;
    const permitted = authorize(actor, "event.replay");
    if (!permitted.ok) return permitted;
    const { database, outbox } = this.#on;
    const { rows, ended } = await call.key.open(database, [this.#letters.selectOpen(input, REPLAY_MAX)]);
    if (ended !== null) return ended;
    let [letters] = rows;
    for (let round = 1; round <= REPLAY_ROUNDS_MAX; round += 1) {
      const ids = letters.map(({ id }) => id);
      const { isDone, open } = await this.#replayAll(actor, { ids, input }, call.key);
      if (isDone) {
        if (ids.length > 0) outbox.sweepSoon();
        return done(reportOf(ids));
      }
      letters = open;
    }
    return refuse("unavailable", "Others are replaying the same dead letters.", { retryAfterSeconds: 1 });
  }

  /** All of them or, when another call was faster with one, none: then with what is open now. */
  async #replayAll(
    actor: Actor,
    { ids, input }: { readonly ids: readonly string[]; readonly input: ReplayInput },
    key: CallKey,
  ) {
    const { database, audit } = this.#on;
    const resolution = this.#resolutionBy(actor);
    const { resolve, revive } = this.#letters.replayAll(ids, resolution);
    const guard = ids.length === 0 ? undefined : this.#letters.isResolvedBy(resolution);
    const subject = `resolution:${resolution.changeId}`;
    const act = { actor, action: "dead_letter.replay_many", subject, details: { ...input } };
    const {
      rows: [resolved, open],
    } = await database.commit([
      resolve,
      this.#letters.selectOpen(input, REPLAY_MAX, this.#letters.isWithoutEffect(resolution)),
      revive,
      audit.record({ ...act, guard: this.#letters.isResolvedBy(resolution) }),
      ...(await key.record(database, reportOf(ids), guard)),
    ]);
    return { isDone: resolved.length === ids.length, open };
  }

  /**
   * Takes away what was settled before the retention. Run by the cron; bounded.
   * @returns how many events went
   */
  async expire(retentionDays: number): Promise<number> {
    const cutoff = this.#on.scope.clock() - retentionDays * 86_400_000;
    return await inSteps(RETENTION_BOUND, (rowsMax) => this.#log.deleteSettled(cutoff, rowsMax));
  }

  #resolutionBy(actor: Actor): Resolution {
    return { ...newMark(this.#on.scope, ""), by: actorLabel(actor) };
  }
}

function reportOf(ids: readonly string[]): ReplayReport {
  return { replayed: ids.length, isComplete: ids.length < REPLAY_MAX };
}

function refuseNotOpen() {
  return refuse("invalid_transition", "The dead letter is not open: it was replayed or discarded before.");
}
