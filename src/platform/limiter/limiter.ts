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
import type { AdmissionSource, Calls } from "../observability/calls";
import { SHIELD_SECONDS, type Shield } from "./burst-shield";
import type { ClientKey } from "./client-key";
import type { Grant } from "./client-limiter";
import {
  type ClientEntry,
  type Evicted,
  giveUpLease,
  type Known,
  type LeaseBook,
  type PendingAsk,
  rememberReturn,
  type Verdict,
} from "./lease-book";
import { type Ask, LEASE_LIFE_MS_MAX, leaseMaxOf, type Quota } from "./lease-rule";
import { Letterbox } from "./letterbox";
import { BURST_POLICY, type Policy, type PolicyName } from "./policies";
import {
  addRevocations,
  asAddition,
  type NewRevocations,
  pruneRevocations,
  type Revocations,
} from "./revocations";
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
  readonly waitUntil: (work: Promise<unknown>) => void;
}

export interface KnownRevocations {
  readonly minEpoch: number;
  /** Foreign tokens issued before (seconds) are void. */
  readonly minIssuedAt: number;
  isSessionRevoked(sessionId: string): boolean;
}

export interface AdmissionRequest {
  readonly clientKey: ClientKey;
  readonly policy: Policy;
}

export interface Admission {
  /** `fail-open`: the object failed or was silent, and the isolate admitted out of its own small allowance. */
  readonly outcome: "admitted" | "refused" | "fail-open";
  readonly policy: PolicyName;
  readonly limit: number;
  readonly windowSeconds: number;
  readonly remaining: number;
  /** Until more is free. */
  readonly resetSeconds: number;
  /** At least 1 when refused, never earlier than the window's release; 0 otherwise. */
  readonly retryAfterSeconds: number;
  /** At most 60 s old. Null when the object could not say: the session must then be checked in the database. */
  readonly revocations: KnownRevocations | null;
  readonly decidedBy: AdmissionSource;
  /** The policy that refused. In shadow mode it is named although the request was admitted. */
  readonly violatedPolicy: PolicyName | typeof BURST_POLICY | null;
}

/** A waiter looks so often whether somebody still attends to the ask that it waits for. */
const WATCH_MS = 500;
/** Without a beat over so many looks whoever asked is gone. */
const LOOKS_WITHOUT_BEAT_MAX = 2;
/** After a silence the object is left alone for so long. */
const SILENT_PAUSE_MS = 5_000;
/** A refusal is not believed for longer, for a reset or a higher limit may have come. */
const REFUSAL_MS_MAX = 60_000;
/** An answer reaches all who waited when it was asked for, so a second turn is rare and a tenth is a fault. */
const TURNS_MAX = 10;

/**
 * Admissions of one client that an isolate allows in a minute while the client's object is silent: the one exception
 * to the limit. (The limit's own numbers may be lower: then those.)
 */
export const FAIL_OPEN_ALLOWANCE = 10;
/** The longest life of an access token (the ceiling of `ACCESS_TOKEN_TTL_SECONDS`), and one being issued right now. */
export const EPOCH_KEPT_MS = 86_400_000 + 120_000;
const ALLOWANCE_PERIOD_MS = 60_000;

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
  admitFromMemory({ clientKey, policy }: AdmissionRequest): Admission | null {
    const entry = this.#context.book.peek(clientKey);
    const verdict = entry === undefined ? null : this.#fromMemory(entry);
    return entry === undefined || verdict === null ? null : this.#toAdmission(entry, policy, verdict);
  }

  /**
   * Spends one admission of the client's budget.
   * **Errors**: `unavailable` when the object is silent and the isolate's allowance is spent.
   * **Cost**: nothing outside the isolate while a lease lasts or a refusal is remembered; else a share of one call to
   * the client's object.
   */
  async admit({ clientKey, policy }: AdmissionRequest): Promise<Admission> {
    const { entry, evicted } = this.#context.book.entry(clientKey);
    if (evicted !== null) this.#returnEvicted(evicted, policy);
    for (let turn = 0; turn < TURNS_MAX; turn += 1) {
      const isFirstTurn = turn === 0;
      const verdict =
        this.#fromMemory(entry) ?? (await this.#fromObject({ entry, clientKey, policy, isFirstTurn }));
      if (verdict.kind !== "again") return this.#toAdmission(entry, policy, verdict);
    }
    return this.#toAdmission(entry, policy, { kind: "silent" });
  }

  /**
   * Makes revocations durable in the client's object. From its return on no lease is granted without them, and those
   * granted before end within 60 s, counted from when they were asked for: so a revoked token is accepted for less
   * than 60 s longer, and here not at all. Call it before the database's batch; it is safe to repeat. An epoch without
   * an expiry is kept as long as a token from before can be valid, and no longer: were the batch that raises it never
   * committed, the user's new tokens would carry the old one, and be refused for ever.
   * **Errors**: `unavailable` when the object failed or was silent: nothing may be acknowledged then.
   * **Cost**: one call to the client's object.
   */
  async revoke(clientKey: ClientKey, added: NewRevocations): Promise<void> {
    const { calls, objectOf, sleep } = this.#context;
    const revocations = { minEpochExpiresAt: this.#now() + EPOCH_KEPT_MS, ...added };
    const send = () => {
      calls.objectCalls += 1;
      return objectOf(clientKey).revoke(revocations);
    };
    const isTaken = await sendUntilSilent(send, sleep).catch((cause: unknown) => {
      throw objectUnavailable("the client's object failed to take a revocation", cause);
    });
    if (isTaken === SILENT) throw objectUnavailable("the client's object did not answer a revocation");
    if (!isTaken) throw objectUnavailable("too many sessions are revoked one by one");
    const { entry } = this.#context.book.entry(clientKey);
    entry.revokedHere = addRevocations(pruneRevocations(entry.revokedHere, this.#now()), revocations);
    if (entry.known !== null) {
      entry.known = { ...entry.known, revocations: addRevocations(entry.known.revocations, revocations) };
    }
  }

  /** What needs nobody else: a lease to spend, a refusal that still holds, a silence that still lasts. */
  #fromMemory(entry: ClientEntry): FinalVerdict | null {
    const now = this.#now();
    const { lease, known } = entry;
    if (lease !== null && now >= lease.expiresAt) giveUpLease(entry);
    else if (lease !== null && known !== null && lease.unspent > 0) {
      lease.unspent -= 1;
      entry.demand += 1;
      return { kind: "admitted", known, by: "lease" };
    }
    if (now < entry.refusedUntil && known !== null) return { kind: "refused", known };
    return now < entry.silentUntil ? { kind: "silent" } : null;
  }

  /** Waits for an answer, and asks for it unless somebody does already. */
  async #fromObject(caller: Caller): Promise<Verdict> {
    const { entry } = caller;
    const box = new Letterbox<Verdict>(this.#context.isWakeable);
    // Who was passed over once keeps the place at the head of the line.
    if (caller.isFirstTurn) entry.waiting.push(box);
    else entry.waiting.unshift(box);
    if (entry.pending === null) this.#send(caller, this.#newAsk(caller));
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
      this.#send(caller, entry.pending?.ask ?? this.#newAsk(caller));
    }
  }

  /** Sends an ask for all who wait. Never throws; the answer reaches everyone through `entry.waiting`. */
  #send(caller: Caller, ask: Ask): void {
    const pending: PendingAsk = { ask, beats: 0 };
    caller.entry.pending = pending;
    // The asking client may hang up, but others wait for this answer.
    this.#context.waitUntil(this.#attend(caller, pending));
  }

  async #attend(caller: Caller, pending: PendingAsk): Promise<void> {
    if (!(await this.#context.shield(caller.clientKey))) {
      if (caller.entry.pending === pending) this.#settleShielded(caller.entry, pending.ask);
      return;
    }
    const answer = await this.#askObject(caller, pending);
    // Somebody took this ask for lost, sent it again and settles it.
    if (caller.entry.pending !== pending) return;
    caller.entry.pending = null;
    if (answer === null) this.#settleSilence(caller.entry, pending.ask);
    else this.#settleGrant(caller.entry, pending.ask, answer);
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
    } catch {
      return null;
    }
  }

  /** Hands a grant out: to those who waited when it was asked for, then, as the lease allows, to those who came since. */
  #settleGrant(entry: ClientEntry, ask: Ask, { grant, sentAt }: Answer): void {
    const now = this.#now();
    const known = this.#learn(entry, grant, now);
    this.#openPeriod(entry, sentAt + grant.lifeMs, now);
    entry.lastWant = grant.granted;
    this.#wake(entry, grant.admitted, { kind: "admitted", known, by: "object" });
    entry.demand += grant.admitted;
    const leased = grant.granted - grant.admitted;
    const expiresAt = sentAt + grant.lifeMs;
    giveUpLease(entry);
    if (leased > 0 && now < expiresAt) entry.lease = { id: ask.id, unspent: leased, expiresAt };
    else if (leased > 0) rememberReturn(entry, { id: ask.id, unspent: leased });
    // A repeated ask gets the grant of its first time, which may fall short although there is budget by now.
    if (grant.admitted < ask.waiting && grant.remaining === 0) {
      entry.refusedUntil = Math.min(now + grant.releaseMs, sentAt + REFUSAL_MS_MAX);
      this.#wake(entry, entry.waiting.length, { kind: "refused", known });
      return;
    }
    const late = Math.min(entry.lease?.unspent ?? 0, entry.waiting.length);
    if (entry.lease !== null) entry.lease.unspent -= late;
    entry.demand += late;
    this.#wake(entry, late, { kind: "admitted", known, by: "lease" });
    this.#wake(entry, 1, { kind: "again" });
  }

  /** Everyone who shared the ask shares the silence. What the object may have leased all the same is given back. */
  #settleSilence(entry: ClientEntry, ask: Ask): void {
    entry.silentUntil = this.#now() + SILENT_PAUSE_MS;
    for (const given of ask.returns) rememberReturn(entry, given);
    rememberReturn(entry, { id: ask.id, unspent: Number.MAX_SAFE_INTEGER });
    this.#wake(entry, entry.waiting.length, { kind: "silent" });
  }

  #settleShielded(entry: ClientEntry, ask: Ask): void {
    entry.pending = null;
    for (const given of ask.returns) rememberReturn(entry, given);
    this.#wake(entry, entry.waiting.length, { kind: "shielded" });
  }

  #wake(entry: ClientEntry, count: number, verdict: Verdict): void {
    for (const box of entry.waiting.splice(0, count)) box.post(verdict);
  }

  #learn(entry: ClientEntry, grant: Grant, now: number): Known {
    entry.revokedHere = pruneRevocations(entry.revokedHere, now);
    const known: Known = {
      window: {
        quota: grant.quota,
        remaining: grant.remaining,
        // Counted from the answer's arrival, so never earlier than the release.
        releaseAt: now + grant.releaseMs,
        isShadow: grant.isShadow,
      },
      revocations: addRevocations(grant.revocations, asAddition(entry.revokedHere)),
    };
    entry.known = known;
    entry.silentUntil = 0;
    entry.refusedUntil = 0;
    return known;
  }

  #newAsk({ entry, policy }: Caller): Ask {
    const ask: Ask = {
      id: this.#context.newId(),
      isolate: this.#context.book.isolate,
      waiting: entry.waiting.length,
      want: Math.max(entry.waiting.length, this.#wantOf(entry, policy)),
      returns: entry.returns,
    };
    entry.returns = [];
    return ask;
  }

  /**
   * How large a lease is worth having: twice the last when that was spent before its time, what the last period used
   * when this is the next, 1 after a rest, so that an occasional client strands nothing.
   */
  #wantOf(entry: ClientEntry, policy: Policy): number {
    const now = this.#now();
    const isSpentEarly = now < entry.periodEndsAt;
    const isNextPeriod = now < entry.periodEndsAt + LEASE_LIFE_MS_MAX;
    const want = isSpentEarly ? entry.lastWant * 2 : isNextPeriod ? entry.demand : 1;
    return Math.max(1, Math.min(want, leaseMaxOf(entry.known?.window.quota ?? quotaOf(policy))));
  }

  #openPeriod(entry: ClientEntry, endsAt: number, now: number): void {
    if (now >= entry.periodEndsAt) entry.demand = 0;
    entry.periodEndsAt = Math.max(entry.periodEndsAt, endsAt);
  }

  #toAdmission(entry: ClientEntry, policy: Policy, verdict: FinalVerdict): Admission {
    const admission = this.#describe(entry, policy, verdict);
    this.#context.calls.admittedBy = admission.decidedBy;
    return admission;
  }

  #describe(entry: ClientEntry, policy: Policy, verdict: FinalVerdict): Admission {
    if (verdict.kind === "silent") return this.#fromAllowance(entry, policy);
    if (verdict.kind === "shielded") return shielded(policy);
    const { window, revocations } = verdict.known;
    const isOver = verdict.kind === "refused";
    const isRefused = isOver && !policy.isShadow && !window.isShadow;
    const windowSeconds = window.quota.windowMs / 1000;
    const releaseSeconds = Math.max(1, Math.ceil((window.releaseAt - this.#now()) / 1000));
    return {
      outcome: isRefused ? "refused" : "admitted",
      policy: policy.name,
      limit: window.quota.limit,
      windowSeconds,
      remaining: isOver ? 0 : window.remaining + (entry.lease?.unspent ?? 0),
      resetSeconds: isRefused ? releaseSeconds : Math.min(releaseSeconds, windowSeconds),
      retryAfterSeconds: isRefused ? releaseSeconds : 0,
      revocations: knownRevocations(revocations),
      decidedBy: verdict.kind === "admitted" ? verdict.by : "object",
      violatedPolicy: isOver ? policy.name : null,
    };
  }

  #fromAllowance({ allowance }: ClientEntry, policy: Policy): Admission {
    const now = this.#now();
    if (now >= allowance.endsAt) Object.assign(allowance, { spent: 0, endsAt: now + ALLOWANCE_PERIOD_MS });
    const allowed = Math.min(FAIL_OPEN_ALLOWANCE, policy.limit);
    if (allowance.spent >= allowed)
      throw objectUnavailable("the client's object is silent, and the allowance is spent");
    allowance.spent += 1;
    return {
      outcome: "fail-open",
      policy: policy.name,
      limit: policy.limit,
      windowSeconds: policy.windowSeconds,
      remaining: allowed - allowance.spent,
      resetSeconds: Math.ceil((allowance.endsAt - now) / 1000),
      retryAfterSeconds: 0,
      revocations: null,
      decidedBy: "isolate",
      violatedPolicy: null,
    };
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
    this.#context.calls.objectCalls += 1;
    const work = this.#context.objectOf(key).ask(ask, quotaOf(policy));
    this.#context.waitUntil(work.catch(() => undefined));
  }

  #now(): number {
    return this.#context.book.observe(this.#context.clock());
  }
}

/** Nothing is known of the budget, so nothing of it is promised. */
function shielded(policy: Policy): Admission {
  return {
    outcome: "refused",
    policy: policy.name,
    limit: policy.limit,
    windowSeconds: policy.windowSeconds,
    remaining: 0,
    resetSeconds: SHIELD_SECONDS,
    retryAfterSeconds: SHIELD_SECONDS,
    revocations: null,
    decidedBy: "shield",
    violatedPolicy: BURST_POLICY,
  };
}

type FinalVerdict = Exclude<Verdict, { kind: "again" }>;

/** One request on its way through the limiter. */
interface Caller {
  readonly entry: ClientEntry;
  readonly clientKey: ClientKey;
  readonly policy: Policy;
  readonly isFirstTurn: boolean;
}

interface Answer {
  readonly grant: Grant;
  readonly sentAt: number;
}

export function quotaOf(policy: Policy): Quota {
  return { limit: policy.limit, windowMs: policy.windowSeconds * 1000, leaseMax: policy.leaseMax };
}

function knownRevocations({ minEpoch, minIssuedAt, sessions }: Revocations): KnownRevocations {
  return {
    minEpoch,
    minIssuedAt,
    isSessionRevoked: (sessionId) => sessions.some((session) => session.id === sessionId),
  };
}
