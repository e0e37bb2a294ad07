/**
 * The write path: how one row changes, with its event, its audit row and its recorded answer, in one batch.
 *
 * ```
 * 1  read the row, and claim the key      one batch on the primary; or the row out of a cache; nothing for a new row
 * 2  decide                               pure: a refusal, or what to write and to answer
 * 3  tell the user's object               when the decision says so
 * 4  commit                               writes, row, event, audit, answer: guarded on `last_change_id` as it was read
 * 5  whose mark does the row carry?       ours: done. Another's: decide again on the row that the batch has read
 * 6  done                                 memory has the row at once; KV and the queue after the response
 * ```
 * Each round writes under a mark of its own, so after a lost answer the row says whether it took effect, if no other followed.
 */
import type { BatchResponse } from "drizzle-orm/batch";
import { AppError, done, type Outcome, refuseBusy } from "../kernel/errors";
import type { Call } from "./call";
import type { ChangeTools, Decision, Plan } from "./change-plan";
import { ConstraintViolation } from "./constraint-violation";
import type { Answer, Statement, Statements } from "./database";
import { type Mark, type Marked, newMark, type PendingMark } from "./mark";

/** The first decision and three repetitions. */
const ROUNDS_MAX = 4;

/**
 * Runs a change. **Errors**: those of `decide`, `permit` and the key; `unavailable` when others were faster each time, or when
 * the object or the database does not answer. **Cost**: 2 D1 round trips, 1 for a cached row or a new one without a key; 1
 * more each time another change was faster.
 */
export async function change<Row extends Marked, Select extends Statement, const Also extends Statements, T>(
  on: ChangeTools,
  call: Call,
  plan: Plan<Row, Select, Also, T>,
): Promise<Outcome<T>> {
  return await new Change(on, call, plan).run();
}

/** A decision with the mark under which it is committed. */
interface Decided<T> {
  readonly mark: PendingMark;
  readonly decision: Decision<T>;
  /** Most likely no other decision follows, so the same batch frees a key whose answer it does not record. */
  readonly isLast: boolean;
}

/** What came of a round: an outcome, or the row that another change left. */
type Round<Row, T> = { readonly outcome: Outcome<T> } | { readonly outcome: null; readonly row: Row | null };

class Change<Row extends Marked, Select extends Statement, Also extends Statements, T> {
  readonly #on: ChangeTools;
  readonly #call: Call;
  readonly #plan: Plan<Row, Select, Also, T>;
  /** Answers by the changes that this call has tried to commit: a row that carries one of them is done. */
  readonly #tried = new Map<string, T>();
  #also: BatchResponse<Also> | null = null;
  /** Why the answer of a commit is not known. */
  #lost: unknown = null;

  constructor(on: ChangeTools, call: Call, plan: Plan<Row, Select, Also, T>) {
    this.#on = on;
    this.#call = call;
    this.#plan = plan;
  }

  async run(): Promise<Outcome<T>> {
    const cached = this.#call.key.isGiven ? null : ((await this.#plan.cached?.()) ?? null);
    if (cached !== null && this.#isConclusive(cached)) return await this.#rounds(cached);
    const { row, ended } = await this.#open();
    return ended ?? (await this.#rounds(row));
  }

  /** The commit notices a cache that is behind. A refusal, or a change of nothing, has no commit: those are decided on the row. */
  #isConclusive(cached: Row): boolean {
    const decided = this.#decide(cached, 1);
    return decided.ok && decided.value.decision.writes.length > 0;
  }

  async #rounds(first: Row | null): Promise<Outcome<T>> {
    let row = first;
    for (let round = 1; round <= ROUNDS_MAX; round += 1) {
      const decided = this.#decide(row, round);
      if (!decided.ok) return decided;
      const tried = await this.#try(decided.value);
      if (tried.outcome !== null) return tried.outcome;
      row = tried.row;
      if (!decided.value.isLast) continue;
      const refused = this.#decide(row, ROUNDS_MAX);
      if (!refused.ok) return refused;
      if (round === ROUNDS_MAX) break;
      // `If-Match` holds all the same: the lost batch has freed the key, so it is claimed again.
      const again = await this.#open();
      if (again.ended !== null) return again.ended;
      row = again.row;
    }
    return refuseBusy(this.#plan.noun);
  }

  /** Reads the row and claims the key. A call that is over has an outcome: an earlier answer, or a refusal. */
  async #open(): Promise<{ readonly row: Row | null; readonly ended: Outcome<T> | null }> {
    const { rows, ended } = await this.#call.key.open(this.#on.database, this.#reads());
    const row = this.#rowOf(rows);
    const permitted = this.#plan.permit?.(row);
    return { row, ended: permitted === undefined || permitted.ok ? ended : permitted };
  }

  #reads(): Statements {
    const { select, also = [] } = this.#plan;
    return select === null ? also : [select, ...also];
  }

  /** @param rows of `#reads`, in their order */
  #rowOf(rows: readonly unknown[]): Row | null {
    const { select, rowOf } = this.#plan;
    const [first, ...rest] = select === null ? [[], ...rows] : rows;
    this.#also = rest as BatchResponse<Also>;
    return rowOf(first as Select["_"]["result"], this.#also);
  }

  #decide(row: Row | null, round: number): Outcome<Decided<T>> {
    const { key, precondition } = this.#call;
    const mark = { ...newMark(this.#on.scope, this.#plan.id), was: row?.lastChangeId ?? null };
    const decided = this.#plan.decide(row, mark, this.#also);
    if (!decided.ok) return decided;
    // With a key and `If-Match`, the precondition nearly always refuses a change that lost its race.
    const isLast = round === ROUNDS_MAX || (key.isGiven && precondition.kind === "versions");
    return done({ mark, decision: decided.value, isLast });
  }

  async #try(decided: Decided<T>): Promise<Round<Row, T>> {
    const { decision, mark, isLast } = decided;
    if (decision.writes.length === 0) return await this.#leave(decision);
    await this.#tell(decision);
    this.#tried.set(mark.changeId, decision.answer);
    try {
      return await this.#commit(decided);
    } catch (error) {
      const refused = this.#refusalOf(error);
      if (refused !== null) return { outcome: refused };
      if (!isAnswerLost(error)) throw error;
      this.#lost = error;
      this.#on.scope.log.log("warn", "change.answer_lost", { error });
      const round = await this.#readBack(decided);
      if (round.outcome === null && isLast) throw error;
      return round;
    }
  }

  /** Nothing is written yet, so a caller whose object did not answer may repeat the call with its key at once. */
  async #tell({ tell }: Decision<T>): Promise<void> {
    try {
      await tell?.();
    } catch (error) {
      await this.#call.key.abandon();
      throw error;
    }
  }

  /** Nothing changes, not even the version: only the answer is recorded. */
  async #leave({ answer }: Decision<T>): Promise<Round<Row, T>> {
    const record = await this.#call.key.record(this.#on.database, answer);
    if (record.length > 0) await this.#on.database.commit(record);
    return { outcome: done(answer) };
  }

  async #commit(decided: Decided<T>): Promise<Round<Row, T>> {
    const { decision, mark, isLast } = decided;
    const { database, outbox } = this.#on;
    const { key } = this.#call;
    const { select, table } = this.#plan;
    const batch = await database.commit([
      ...decision.writes,
      ...(select === null ? [] : [select]),
      ...this.#events(decision, mark),
      this.#audit(decision, mark),
      ...(await key.record(database, decision.answer, table.isMarkedBy(mark))),
      ...(decision.last ?? []),
      ...(isLast ? key.release(database) : []),
    ]);
    outbox.relaySoon(batch);
    if (select === null) return { outcome: done(decision.answer) };
    return this.#judge(decided, this.#plan.rowOf(batch.of(select), this.#also), batch);
  }

  /** Whether a commit without an answer took effect: the row says so. */
  async #readBack(decided: Decided<T>): Promise<Round<Row, T>> {
    if (this.#plan.select === null) throw new AppError("unavailable", "a new row's commit was not answered");
    const answer = await this.#on.database.read("primary", this.#reads());
    const row = this.#rowOf(answer.rows);
    const { decision, mark } = decided;
    if (row !== null || decision.last === undefined) return this.#judge(decided, row, answer);
    // A row that is gone was taken away, by this change or by another: that is all that was asked. An answer that this change
    // recorded stays; a key that only another's removal left claimed is freed.
    await this.#call.key.abandon();
    this.#plan.committed?.(null, answer, mark);
    return { outcome: done(decision.answer) };
  }

  /** Our own mark means done, whichever round wrote it. */
  #judge({ decision, mark }: Decided<T>, row: Row | null, state: Answer<Statements>): Round<Row, T> {
    const changeId = row?.lastChangeId ?? null;
    const answer = this.#tried.get(changeId ?? "");
    // A commit without an answer may have taken effect before the other change: a repetition could apply it twice.
    if (answer === undefined && changeId !== mark.was && this.#lost !== null) throw this.#lost;
    if (row === null || answer === undefined) return { outcome: null, row };
    const { answerOf, committed } = this.#plan;
    committed?.(decision.last === undefined ? row : null, state, mark);
    return { outcome: done(answerOf === undefined || this.#call.key.isGiven ? answer : answerOf(row)) };
  }

  #events({ events = [] }: Decision<T>, mark: PendingMark): Statement[] {
    const { table } = this.#plan;
    return events.flatMap((event, index) =>
      this.#on.outbox.record({
        ...event,
        id: index === 0 ? mark.changeId : this.#on.scope.newId(),
        guard: table.isMarked,
        values: table.valuesOf(mark),
      }),
    );
  }

  #audit({ details = {} }: Decision<T>, mark: Mark): Statement {
    const { action, subject, table } = this.#plan;
    const guarded = { guard: table.isMarked, values: table.valuesOf(mark) };
    return this.#on.audit.record({ actor: this.#call.actor, action, subject, details, ...guarded });
  }

  /** What a violated constraint means. The batch that failed by it has freed no key. */
  #refusalOf(error: unknown): Outcome<never> | null {
    if (!(error instanceof ConstraintViolation)) return null;
    this.#call.key.keep();
    return this.#plan.violations?.[error.constraint]?.() ?? null;
  }
}

/** The connection broke, or the database was reset: the batch may have been applied, or may be yet. */
function isAnswerLost(error: unknown): boolean {
  return error instanceof AppError && error.code === "unavailable" && error.isRetryable;
}
