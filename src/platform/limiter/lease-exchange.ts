/**
 * How what an isolate knows of a client changes: steps over an entry of the book, at a time that is given. No I/O; the
 * asking itself is `limiter.ts`.
 */
import type { FinalVerdict } from "./admission";
import type { Grant } from "./client-limiter";
import { type ClientEntry, giveUpLease, type Known, rememberReturn, type Verdict } from "./lease-book";
import { type Ask, LEASE_LIFE_MS_MAX, leaseMaxOf, type Quota } from "./lease-rule";
import { addRevocations, asAddition, pruneRevocations } from "./revocations";

/** After a silence the object is left alone for so long. */
const SILENT_PAUSE_MS = 5_000;
/** A refusal is not believed for longer, for a reset or a higher limit may have come. */
const REFUSAL_MS_MAX = 60_000;
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
  const expiresAt = sentAt + grant.lifeMs;
  giveUpLease(entry);
  if (leased > 0 && now < expiresAt) entry.lease = { id: ask.id, unspent: leased, expiresAt };
  else if (leased > 0) rememberReturn(entry, { id: ask.id, unspent: leased });
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
