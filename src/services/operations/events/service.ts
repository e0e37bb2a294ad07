/** The event log for those who catch up with it, and the dead letters for those who mend them. */
import { type Actor, actorLabel } from "../../../kernel/actor";
import type { CursorPosition, Page } from "../../../kernel/cursor";
import { done, type Outcome, refuse, refuseInvalid, refuseNotFound } from "../../../kernel/errors";
import type { CloudEvent } from "../../../kernel/event";
import { authorize } from "../../../kernel/permissions";
import type { AuditTrail } from "../../../platform/audit";
import type { Database, Statement } from "../../../platform/database";
import { type Attempt, unkeyed } from "../../../platform/idempotency";
import {
  type DeadLetter,
  DeadLetters,
  type EventLedger,
  EventLog,
  type Outbox,
  type Resolution,
  toDeadLetter,
} from "../../../platform/outbox";
import type { Scope } from "../../../platform/scope";
import type { Sealer } from "../../../platform/sealing";
import type {
  DiscardInput,
  ListDeadLettersQuery,
  ListEventsQuery,
  ReplayInput,
  ReplayReport,
} from "./schemas";

interface Dependencies {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly audit: AuditTrail;
  readonly sealer: Sealer;
  readonly scope: Scope;
  /** `PUBLIC_URL`, for the envelope. */
  readonly publicUrl: string;
}

/** What is done to one dead letter. */
interface Resolving {
  readonly actor: Actor;
  readonly id: string;
  readonly action: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly state: DeadLetter["state"];
  readonly resolution: Resolution;
  readonly changes: readonly Statement[];
}

/** Letters that one call replays. */
const REPLAY_MAX = 1_000;
/** Another call may take one of the letters between the read and the commit: so often they are read anew. */
const REPLAY_ROUNDS_MAX = 3;
/** Of 200 events each: nearly three million a day, at 3 queries a step. */
const RETENTION_STEPS_MAX = 10;

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
  async list(actor: Actor, query: ListEventsQuery): Promise<Outcome<Page<CloudEvent>>> {
    const permitted = authorize(actor, "event.read");
    if (!permitted.ok) return permitted;
    return done(await this.#log.list(query, this.#on.scope.clientBookmark === null ? "nearest" : "primary"));
  }

  /** What became of one event. **Errors**: as `list`, and `not_found`. **Cost**: 1 D1 round trip. */
  async ledger(actor: Actor, id: string): Promise<Outcome<EventLedger>> {
    const permitted = authorize(actor, "event.read");
    if (!permitted.ok) return permitted;
    const ledger = await this.#log.ledger(id);
    return ledger === null ? refuseNotFound() : done(ledger);
  }

  /** Oldest first. **Errors**: `unauthenticated`, `forbidden`, `validation_failed` (cursor). **Cost**: 1 D1 round trip. */
  async listDeadLetters(actor: Actor, query: ListDeadLettersQuery): Promise<Outcome<Page<DeadLetter>>> {
    const permitted = authorize(actor, "event.replay");
    if (!permitted.ok) return permitted;
    const { limit, cursor, ...filter } = query;
    const purpose = JSON.stringify(["dead-letters", actorLabel(actor), Object.entries(filter).sort()]);
    const after = cursor === undefined ? null : await this.#on.sealer.open(purpose, cursor);
    if (cursor !== undefined && after === null) return refuseCursor();
    // The seal vouches for the shape.
    const rows = await this.#letters.page(filter, after as CursorPosition | null, limit);
    const data = rows.slice(0, limit);
    const last = data.at(-1);
    if (rows.length <= limit || last === undefined) return done({ data, nextCursor: null });
    const next: CursorPosition = { key: Date.parse(last.createdAt), id: last.id, bookmark: null };
    return done({ data, nextCursor: await this.#on.sealer.seal(purpose, next) });
  }

  /**
   * Gives the delivery fresh attempts, at once.
   * **Errors**: `not_found`; `invalid_transition` when it is not open. **Cost**: 1 D1 round trip, 2 with a key.
   */
  async replay(
    actor: Actor,
    id: string,
    attempt: Attempt<DeadLetter> = unkeyed(),
  ): Promise<Outcome<DeadLetter>> {
    const permitted = authorize(actor, "event.replay");
    if (!permitted.ok) return permitted;
    const resolution = this.#resolutionBy(actor);
    const changes = this.#letters.replayOne(id, resolution);
    const act = { actor, id, action: "dead_letter.replay", details: {}, state: "replayed" } as const;
    return await this.#resolveOne({ ...act, resolution, changes }, attempt);
  }

  /** Leaves the delivery dead, for a reason. **Errors and cost**: as `replay`. */
  async discard(
    actor: Actor,
    id: string,
    input: DiscardInput,
    attempt: Attempt<DeadLetter> = unkeyed(),
  ): Promise<Outcome<DeadLetter>> {
    const permitted = authorize(actor, "event.replay");
    if (!permitted.ok) return permitted;
    const resolution = this.#resolutionBy(actor);
    const changes = [this.#letters.discard(id, input.reason, resolution)];
    const details = { reason: input.reason };
    const act = { actor, id, action: "dead_letter.discard", details, state: "discarded" } as const;
    return await this.#resolveOne({ ...act, resolution, changes }, attempt);
  }

  /**
   * Replays the oldest open letters that match, 1000 a call, handed over at 50 a second.
   * **Errors**: `unauthenticated`, `forbidden`, those of the key; `unavailable` while others replay the same letters.
   * **Cost**: 2 D1 round trips, 1 more each time another was faster.
   */
  async replayMany(
    actor: Actor,
    input: ReplayInput,
    attempt: Attempt<ReplayReport> = unkeyed(),
  ): Promise<Outcome<ReplayReport>> {
    const permitted = authorize(actor, "event.replay");
    if (!permitted.ok) return permitted;
    const { database, outbox } = this.#on;
    const { rows, ended } = await attempt.open(database, [this.#letters.selectOpen(input, REPLAY_MAX)]);
    if (ended !== null) return ended;
    let [letters] = rows;
    for (let round = 1; round <= REPLAY_ROUNDS_MAX; round += 1) {
      const ids = letters.map(({ id }) => id);
      const { isDone, open } = await this.#replayAll(actor, { ids, input }, attempt);
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
    attempt: Attempt<ReplayReport>,
  ) {
    const { database, audit } = this.#on;
    const resolution = this.#resolutionBy(actor);
    const { resolve, revive } = this.#letters.replayAll(ids, resolution);
    const guard = ids.length === 0 ? undefined : this.#letters.isResolvedBy(resolution);
    const subject = `resolution:${resolution.id}`;
    const act = { actor, action: "dead_letter.replay_many", subject, details: { ...input } };
    const {
      rows: [resolved, open],
    } = await database.commit([
      resolve,
      this.#letters.selectOpen(input, REPLAY_MAX, this.#letters.isWithoutEffect(resolution)),
      revive,
      audit.record({ ...act, guard: this.#letters.isResolvedBy(resolution) }),
      ...(await attempt.record(database, reportOf(ids), guard)),
    ]);
    return { isDone: resolved.length === ids.length, open };
  }

  /**
   * Takes away what was settled before the retention. Run by the cron; bounded.
   * @returns how many events went
   */
  async expire(retentionDays: number): Promise<number> {
    const cutoff = this.#on.scope.clock() - retentionDays * 86_400_000;
    let gone = 0;
    for (let step = 0; step < RETENTION_STEPS_MAX; step += 1) {
      const count = await this.#log.deleteSettled(cutoff);
      gone += count;
      if (count === 0) break;
    }
    return gone;
  }

  async #resolveOne(
    { actor, id, action, details, state, resolution, changes }: Resolving,
    attempt: Attempt<DeadLetter>,
  ): Promise<Outcome<DeadLetter>> {
    const { database, audit, outbox } = this.#on;
    // Only a call with a key reads first: its answer must be known before the commit.
    const { rows, ended } = await attempt.open(
      database,
      attempt.isKeyed ? [this.#letters.selectById(id)] : [],
    );
    if (ended !== null) return ended;
    const open = rows[0]?.[0];
    const guard = this.#letters.isResolvedBy(resolution);
    const recorded =
      open === undefined ? [] : await attempt.record(database, { ...toDeadLetter(open), state }, guard);
    const record = audit.record({ actor, action, subject: `dead_letter:${id}`, details, guard });
    const selectLatest = this.#letters.selectById(id);
    const answer = await database.commit([
      ...changes,
      record,
      ...recorded,
      ...attempt.release(database),
      selectLatest,
    ]);
    const [row] = answer.of(selectLatest);
    if (row === undefined) return refuseNotFound();
    if (row.resolutionId !== resolution.id) {
      return refuse(
        "invalid_transition",
        "The dead letter is not open: it was replayed or discarded before.",
      );
    }
    if (row.state === "replayed") outbox.sweepSoon();
    return done(toDeadLetter(row));
  }

  #resolutionBy(actor: Actor): Resolution {
    const { scope } = this.#on;
    return { id: scope.newId(), at: scope.clock(), by: actorLabel(actor) };
  }
}

function reportOf(ids: readonly string[]): ReplayReport {
  return { replayed: ids.length, isComplete: ids.length < REPLAY_MAX };
}

function refuseCursor() {
  return refuseInvalid({
    pointer: "#/query/cursor",
    code: "invalid_cursor",
    message: "This cursor was not given out for this list and filter.",
  });
}
