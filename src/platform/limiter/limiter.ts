/**
 * The isolate's side of the limit: requests spend a lease in memory, and the object is asked only when there is none.
 *
 * Concurrent requests of one client share one ask. The first to find no lease asks for all who wait; each, itself
 * included, waits at a letterbox of its own, into which whoever holds the answer posts a value: see `letterbox.ts`. Every
 * waiter also keeps a timer of its own: workerd cancels a request that waits for nothing of its own as hung, and the
 * request that asked may vanish (its client hung up); one that waits then sends the same ask under the same id.
 */
import type { Clock } from "../../kernel/clock";
import type { NewId } from "../../kernel/ids";
import type { Calls } from "../observability/calls";
import type { Logger } from "../observability/logger";
import { inSpan } from "../observability/tracing";
import { type BudgetAnswer, type BudgetRequest, budgetAnswerOf, type FinalVerdict } from "./budget-answer";
import type { Shield } from "./burst-shield";
import type { ClientKey } from "./client-key";
import type { Grant } from "./client-limiter";
import {
  type ClientEntry,
  type Evicted,
  giveUpLease,
  type LeaseBook,
  type PendingAsk,
  type Verdict,
} from "./lease-book";
import {
  type Answer,
  decideFromMemory,
  isAskDueAhead,
  newAsk,
  settleGrant,
  settleShielded,
  settleSilence,
} from "./lease-exchange";
import type { Ask, Quota } from "./lease-rule";
import { Letterbox } from "./letterbox";
import { type Policy, quotaOf } from "./policies";
import { addRevocations, type NewRevocations, pruneRevocations } from "./revocations";
import { objectUnavailable, SILENT, type Sleep, sendUntilSilent } from "./silence";

/** What the limiter asks of a client's object. `ClientLimiter` by RPC, or a stand-in that fails. */
export interface LimiterObject {
  ask(ask: Ask, quota: Quota): Promise<Grant>;
  revoke(added: NewRevocations): Promise<boolean>;
}

/** The outside of a limiter, of one request. */
export interface LimiterContext {
  /** A fresh stub each time: one that failed stays broken. */
  readonly objectOf: (name: string) => LimiterObject;
  readonly shield: Shield;
  readonly book: LeaseBook;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly sleep: Sleep;
  /** See `Letterbox`. */
  readonly isWakeable: boolean;
  readonly calls: Calls;
  readonly log: Logger;
  readonly waitUntil: (work: Promise<unknown>) => void;
  readonly afterResponse: (task: () => Promise<unknown>) => void;
}

/** A waiter looks so often whether somebody still attends to the ask that it waits for. */
const WATCH_MS = 500;
/** Without a beat over so many looks whoever asked is gone. */
const LOOKS_WITHOUT_BEAT_MAX = 2;
/** An answer reaches all who waited when it was asked for, so a second turn is rare and a tenth is a fault. */
const TURNS_MAX = 10;

/** The longest life of an access token (the ceiling of `ACCESS_TOKEN_TTL_SECONDS`), and one being issued right now. */
export const EPOCH_KEPT_MS = 86_400_000 + 120_000;
export class Limiter {
  readonly #context: LimiterContext;

  constructor(context: LimiterContext) {
    this.#context = context;
  }

  /**
   * Spends one admission if the isolate can decide by itself: by a lease, a refusal that still holds, or a silence
   * that still lasts. Null when `admit` must ask, and nothing was spent.
   * **Errors**: as `admit`.
   */
  admitFromMemory({ clientKey, policy }: BudgetRequest): BudgetAnswer | null {
    const entry = this.#context.book.peek(clientKey);
    const verdict = entry === undefined ? null : decideFromMemory(entry, this.#now());
    if (entry === undefined || verdict === null) return null;
    this.#askAhead(entry, { clientKey, policy });
    return this.#toAnswer(entry, policy, verdict);
  }

  /** Asks for the next lease before this one is spent, after the response. */
  #askAhead(entry: ClientEntry, { clientKey, policy }: BudgetRequest): void {
    if (entry.lease === null || !isAskDueAhead(entry)) return;
    const { id } = entry.lease;
    entry.followedLease = id;
    this.#context.afterResponse(async () => {
      // The response may have been slow: then a request that found the lease spent has asked by itself.
      if (entry.pending !== null || entry.lease?.id !== id) return;
      const caller: Caller = { entry, clientKey, policy, isFirstTurn: true };
      this.#callObject(caller, this.#newAsk(caller));
    });
  }

  /**
   * Spends one admission of the client's budget.
   * **Errors**: `unavailable` when the object is silent and the isolate's allowance is spent.
   * **Cost**: nothing outside the isolate while a lease lasts or a refusal is remembered; else a share of one call to
   * the client's object.
   */
  async admit({ clientKey, policy }: BudgetRequest): Promise<BudgetAnswer> {
    const { entry, evicted } = this.#context.book.entry(clientKey);
    if (evicted !== null) this.#returnEvicted(evicted, policy);
    for (let turn = 0; turn < TURNS_MAX; turn += 1) {
      const isFirstTurn = turn === 0;
      const verdict =
        decideFromMemory(entry, this.#now()) ??
        (await this.#fromObject({ entry, clientKey, policy, isFirstTurn }));
      if (verdict.kind !== "again") return this.#toAnswer(entry, policy, verdict);
    }
    return this.#toAnswer(entry, policy, { kind: "silent" });
  }

  /**
   * Makes revocations durable in the client's object. From its return on no lease is granted without them, and those
   * granted before end within 60 s, counted from when they were asked for: so a revoked token is accepted for less
   * than 60 s longer, and here not at all. Call it before the database's batch; it is safe to repeat. An epoch without
   * an expiry is kept as long as a token from before can be valid, and no longer: were the batch that raises it never
   * committed, the user's new tokens would carry the old one: those issued since are the gate's to ask D1 about.
   * **Errors**: `unavailable` when the object failed or was silent: nothing may be acknowledged then.
   * **Cost**: one call to the client's object.
   */
  async revoke(clientKey: ClientKey, added: NewRevocations): Promise<void> {
    const { calls, objectOf, sleep } = this.#context;
    const now = this.#now();
    const revocations = { minEpochExpiresAt: now + EPOCH_KEPT_MS, minEpochSince: now, ...added };
    const send = () => {
      calls.objectCalls += 1;
      return objectOf(clientKey).revoke(revocations);
    };
    const isTaken = await inSpan("limiter.revoke", {}, () => sendUntilSilent(send, sleep)).catch(
      (cause: unknown) => {
        throw objectUnavailable("the client's object failed to take a revocation", cause);
      },
    );
    if (isTaken === SILENT) throw objectUnavailable("the client's object did not answer a revocation");
    if (!isTaken) throw objectUnavailable("too many sessions are revoked one by one");
    const entry = this.#context.book.peek(clientKey);
    // Nothing is known or on its way here: the next ask is answered with them.
    if (entry === undefined) return;
    entry.revokedHere = addRevocations(pruneRevocations(entry.revokedHere, this.#now()), revocations);
    if (entry.known !== null) {
      entry.known = { ...entry.known, revocations: addRevocations(entry.known.revocations, revocations) };
    }
  }

  /** Waits for an answer, and asks for it unless somebody does already. */
  async #fromObject(caller: Caller): Promise<Verdict> {
    const { entry } = caller;
    const box = new Letterbox<Verdict>(this.#context.isWakeable);
    // Who was passed over once keeps the place at the head of the line.
    if (caller.isFirstTurn) entry.waiting.push(box);
    else entry.waiting.unshift(box);
    if (entry.pending === null) this.#callObject(caller, this.#newAsk(caller));
    return await this.#watch(caller, box);
  }

  /** The verdict; meanwhile looks after the ask, whose request may have vanished. */
  async #watch(caller: Caller, box: Letterbox<Verdict>): Promise<Verdict> {
    const { entry } = caller;
    let attended = { pending: entry.pending, beats: entry.pending?.beats ?? 0 };
    let looksWithoutBeat = 0;
    for (;;) {
      const verdict = await box.wait(this.#context.sleep, WATCH_MS);
      if (verdict !== undefined) return verdict;
      const isAttended = entry.pending !== attended.pending || entry.pending?.beats !== attended.beats;
      looksWithoutBeat = isAttended ? 0 : looksWithoutBeat + 1;
      attended = { pending: entry.pending, beats: entry.pending?.beats ?? 0 };
      if (looksWithoutBeat < LOOKS_WITHOUT_BEAT_MAX) continue;
      looksWithoutBeat = 0;
      this.#callObject(caller, entry.pending?.ask ?? this.#newAsk(caller));
    }
  }

  /** Sends an ask for all who wait. Never throws; the answer reaches everyone through `entry.waiting`. */
  #callObject(caller: Caller, ask: Ask): void {
    const pending: PendingAsk = { ask, beats: 0 };
    caller.entry.pending = pending;
    // The asking client may hang up, but others wait for this answer.
    this.#context.waitUntil(this.#attend(caller, pending));
  }

  async #attend(caller: Caller, pending: PendingAsk): Promise<void> {
    const { entry } = caller;
    if (!(await this.#context.shield(caller.clientKey))) {
      if (entry.pending !== pending) return;
      entry.pending = null;
      settleShielded(entry, pending.ask);
      return;
    }
    const answer = await this.#askObject(caller, pending);
    // Somebody took this ask for lost, sent it again and settles it.
    if (entry.pending !== pending) return;
    entry.pending = null;
    if (answer === null) settleSilence(entry, pending.ask, this.#now());
    else settleGrant(entry, pending.ask, answer, this.#now());
  }

  /** Null when the object failed or was silent. */
  async #askObject({ clientKey, policy }: Caller, pending: PendingAsk): Promise<Answer | null> {
    const { book, calls, objectOf, sleep } = this.#context;
    let sentAt = 0;
    let setBacks = 0;
    const send = () => {
      sentAt = this.#now();
      setBacks = book.setBacks;
      calls.objectCalls += 1;
      return objectOf(clientKey).ask(pending.ask, quotaOf(policy));
    };
    const beat = () => {
      pending.beats += 1;
    };
    try {
      const grant = await sendUntilSilent(send, sleep, beat);
      if (grant === SILENT) return null;
      // Set back meanwhile: when the ask was sent is not known any more, so the lease counts as over.
      this.#now();
      return { grant, sentAt: book.setBacks === setBacks ? sentAt : Number.NEGATIVE_INFINITY };
    } catch (error) {
      this.#logFailure(error);
      return null;
    }
  }

  #newAsk({ entry, policy }: Caller): Ask {
    const { newId, book } = this.#context;
    return newAsk(entry, quotaOf(policy), { id: newId(), isolate: book.isolate, now: this.#now() });
  }

  #toAnswer(entry: ClientEntry, policy: Policy, verdict: FinalVerdict): BudgetAnswer {
    const answer = budgetAnswerOf(entry, policy, verdict, this.#now());
    this.#context.calls.admittedBy = answer.decidedBy;
    return answer;
  }

  /** A client that leaves the book gives back what it leased; if that fails, the bucket's end does it. */
  #returnEvicted({ key, entry }: Evicted, policy: Policy): void {
    giveUpLease(entry);
    if (entry.returns.length === 0) return;
    const ask: Ask = {
      id: this.#context.newId(),
      isolate: this.#context.book.isolate,
      waiting: 0,
      want: 0,
      returns: entry.returns,
    };
    const { afterResponse, calls, objectOf } = this.#context;
    afterResponse(async () => {
      calls.objectCalls += 1;
      await objectOf(key)
        .ask(ask, quotaOf(policy))
        .catch((error: unknown) => this.#logFailure(error));
    });
  }

  #logFailure(error: unknown): void {
    this.#context.log.log("warn", "limiter.object_failed", { error });
  }

  #now(): number {
    return this.#context.book.observe(this.#context.clock());
  }
}

/** One request on its way through the limiter. */
interface Caller {
  readonly entry: ClientEntry;
  readonly clientKey: ClientKey;
  readonly policy: Policy;
  readonly isFirstTurn: boolean;
}
