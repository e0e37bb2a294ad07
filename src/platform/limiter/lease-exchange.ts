/**
 * How what an isolate knows of a client changes: steps over an entry of the book, at a time that is given. No I/O; the
 * asking itself is `limiter.ts`.
 */
import type { FinalVerdict } from "./budget-answer";
import type { Grant } from "./client-limiter";
import {
  type ClientEntry,
  giveUpLease,
  type HeldLease,
  type Known,
  rememberReturn,
  type Verdict,
} from "./lease-book";
import { type Ask, LEASE_LIFE_MS_MAX, leaseMaxOf, type Quota } from "./lease-rule";
import { addRevocations, asAddition, pruneRevocations } from "./revocations";

/** After a silence the object is left alone for so long. */
const SILENT_PAUSE_MS = 5_000;
/** A refusal is not believed for longer, for a reset or a higher limit may have come. */
const REFUSAL_MS_MAX = 60_000;
/** The next lease is asked for when of this one so much is left: time enough for an object that is a continent away. */
const AHEAD_AT = 0.3;
/** And only while there are as many more in the budget. */
const AHEAD_BUDGET_LEASES = 2;
/** A grant, and when its ask was sent by the isolate's clock. */
export interface Answer {
  readonly grant: Grant;
  readonly sentAt: number;
}

/** Who asks, and when. */
export interface AskOrigin {
  readonly id: string;
  readonly isolate: string;
  readonly now: number;
}

/** What needs nobody else: a lease to spend, a refusal that still holds, a silence that still lasts. */
export function decideFromMemory(entry: ClientEntry, now: number): FinalVerdict | null {
  const { known } = entry;
  const lease = currentLease(entry, now);
  if (lease !== null && known !== null && lease.unspent > 0) {
    lease.unspent -= 1;
    entry.demand += 1;
    return { kind: "admitted", known, by: "lease" };
  }
  if (now < entry.refusedUntil && known !== null) return { kind: "refused", known };
  return now < entry.silentUntil ? { kind: "silent" } : null;
}

/** The lease to spend: the reserve when the first is spent. What is past its time is given up. */
function currentLease(entry: ClientEntry, now: number): HeldLease | null {
  const { lease, reserve } = entry;
  const isOver = (held: HeldLease | null) => held !== null && now >= held.expiresAt;
  if (isOver(lease) || isOver(reserve)) giveUpLease(entry);
  else if (reserve !== null && (lease === null || lease.unspent === 0)) {
    entry.lease = reserve;
    entry.reserve = null;
  }
  return entry.lease;
}

/**
 * Whether to ask for the next lease now, while this one lasts, so that nobody waits for the object: only for a client
 * that spends full leases, once for each of them, and not when the budget nears its end, where every unit that lies
 * unspent in an isolate is missed elsewhere. It stays one ask for each full lease: what is left of the old is spent first.
 */
export function isAskDueAhead({ lease, reserve, known, pending, followedLease }: ClientEntry): boolean {
  if (lease === null || known === null || reserve !== null || pending !== null) return false;
  if (lease.unspent > Math.floor(lease.size * AHEAD_AT) || followedLease === lease.id) return false;
  const { quota, remaining, isShadow } = known.window;
  return lease.size >= leaseMaxOf(quota) && !isShadow && remaining >= AHEAD_BUDGET_LEASES * lease.size;
}

/** The next ask, for all who wait; takes the returns with it. */
export function newAsk(entry: ClientEntry, quota: Quota, { id, isolate, now }: AskOrigin): Ask {
  const ask: Ask = {
    id,
    isolate,
    waiting: entry.waiting.length,
    want: Math.max(entry.waiting.length, wantOf(entry, quota, now)),
    returns: entry.returns,
  };
  entry.returns = [];
  return ask;
}

/**
 * How large a lease is worth having: twice the last when that was spent before its time, what the last period used
 * when this is the next, 1 after a rest, so that an occasional client strands nothing.
 */
function wantOf(entry: ClientEntry, quota: Quota, now: number): number {
  const isSpentEarly = now < entry.periodEndsAt;
  const isNextPeriod = now < entry.periodEndsAt + LEASE_LIFE_MS_MAX;
  const want = isSpentEarly ? entry.lastWant * 2 : isNextPeriod ? entry.demand : 1;
  return Math.max(1, Math.min(want, leaseMaxOf(entry.known?.window.quota ?? quota)));
}

/** Hands a grant out: to those who waited when it was asked for, then, as the lease allows, to those who came since. */
export function settleGrant(entry: ClientEntry, ask: Ask, { grant, sentAt }: Answer, now: number): void {
  const known = learn(entry, grant, now);
  openPeriod(entry, sentAt + grant.lifeMs, now);
  entry.lastWant = grant.granted;
  wake(entry, grant.admitted, { kind: "admitted", known, by: "object" });
  entry.demand += grant.admitted;
  const leased = grant.granted - grant.admitted;
  hold(entry, { id: ask.id, size: grant.granted, unspent: leased, expiresAt: sentAt + grant.lifeMs }, now);
  // A repeated ask gets the grant of its first time, which may fall short although there is budget by now.
  if (grant.admitted < ask.waiting && grant.remaining === 0) {
    entry.refusedUntil = Math.min(now + grant.releaseMs, sentAt + REFUSAL_MS_MAX);
    wake(entry, entry.waiting.length, { kind: "refused", known });
    return;
  }
  const late = Math.min(entry.lease?.unspent ?? 0, entry.waiting.length);
  if (entry.lease !== null) entry.lease.unspent -= late;
  entry.demand += late;
  wake(entry, late, { kind: "admitted", known, by: "lease" });
  wake(entry, 1, { kind: "again" });
}

/** What was asked for ahead waits behind the lease that is being spent; any other takes its place. */
function hold(entry: ClientEntry, next: HeldLease, now: number): void {
  const { lease } = entry;
  const isAhead = lease !== null && lease.unspent > 0 && now < lease.expiresAt && entry.waiting.length === 0;
  if (!isAhead) giveUpLease(entry);
  if (next.unspent === 0) return;
  if (now >= next.expiresAt) rememberReturn(entry, { id: next.id, unspent: next.unspent });
  else if (isAhead) entry.reserve = next;
  else entry.lease = next;
}

/** Everyone who shared the ask shares the silence. What the object may have leased all the same is given back. */
export function settleSilence(entry: ClientEntry, ask: Ask, now: number): void {
  entry.silentUntil = now + SILENT_PAUSE_MS;
  for (const given of ask.returns) rememberReturn(entry, given);
  rememberReturn(entry, { id: ask.id, unspent: Number.MAX_SAFE_INTEGER });
  wake(entry, entry.waiting.length, { kind: "silent" });
}

/** The ask was not sent: what it would have given back stays here, and nothing is known. */
export function settleShielded(entry: ClientEntry, ask: Ask): void {
  for (const given of ask.returns) rememberReturn(entry, given);
  wake(entry, entry.waiting.length, { kind: "shielded" });
}

function learn(entry: ClientEntry, grant: Grant, now: number): Known {
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

function openPeriod(entry: ClientEntry, endsAt: number, now: number): void {
  if (now >= entry.periodEndsAt) entry.demand = 0;
  entry.periodEndsAt = Math.max(entry.periodEndsAt, endsAt);
}

function wake(entry: ClientEntry, count: number, verdict: Verdict): void {
  for (const box of entry.waiting.splice(0, count)) box.post(verdict);
}
