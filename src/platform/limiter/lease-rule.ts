/**
 * The rule of the limit, pure: (state, now, ask) -> (answer, state). The object stores the state; nothing here knows
 * of Cloudflare.
 *
 * Time is cut into buckets of a fifteenth of the window. What is granted is charged at once to the bucket in which it
 * is granted:
 *
 *     bucket    k-16 | k-15   k-14   ...   k-1    k
 *     counts     no  |  yes    yes          yes   yes      (16 buckets: the oldest whole, while any part of it
 *     window         |     <---------- window ------->now   can lie in the window)
 *
 * So the count errs on the strict side, and a unit is held for 15/15 to 16/15 of the window.
 *
 * A grant has two parts. The first `waiting` units belong to requests that waited for the answer: they are admitted
 * here, at the object's instant, which lies between their arrival and their release. The rest is the *lease*: it may
 * be spent in the isolate's memory, but only inside its bucket, for only then is it counted for as long as it should.
 */

/** Buckets a window. The sixteenth counted is the one that the window's far edge cuts. */
export const BUCKETS_PER_WINDOW = 15;

/** A lease, and with it the isolate's knowledge of revocations, never lives longer: the bound of revocation. */
export const LEASE_LIFE_MS_MAX = 60_000;

/**
 * Leases remembered for returns and repeated asks. One that drops out merely cannot be returned or repeated any more,
 * which errs on the strict side.
 */
const LEASES_KEPT_MAX = 64;
/**
 * Of one isolate: it has one or two out, and carries no more returns than these. The state is written for each grant, so
 * what it need not hold would cost a busy client most of the write. An auth budget's charges name no isolate.
 */
const LEASES_KEPT_PER_ISOLATE = 8;

/** The numbers of a policy as an ask brings them. */
export interface Quota {
  /** Admissions a window. */
  readonly limit: number;
  readonly windowMs: number;
  /** Largest lease; null for a tenth of the limit. */
  readonly leaseMax: number | null;
}

export interface Ask {
  /** Names the grant that comes of it. The same id again gets the same grant, so a repeated ask is charged once. */
  readonly id: string;
  /** Who asks, to share what remains among all who do. */
  readonly isolate: string;
  /** Requests that wait for the answer: 0 for a mere return or a reservation. */
  readonly waiting: number;
  /** Units asked for in all. Fewer may come; never fewer than `waiting` while there are as many. */
  readonly want: number;
  readonly returns: readonly LeaseReturn[];
}

/** What an isolate did not spend of a lease. Counts once, and at most what was leased. */
export interface LeaseReturn {
  readonly id: string;
  readonly unspent: number;
}

/** `granted` is 0 when there is nothing left: a refusal. */
export interface LeaseAnswer {
  readonly granted: number;
  /** Of `granted`, what was admitted at once for the waiting. */
  readonly admitted: number;
  /** Life of the rest, counted by the isolate from when it *sent* the ask, so that clock offsets do not matter. */
  readonly lifeMs: number;
  /** Free budget after this grant. */
  readonly remaining: number;
  /** Until the first counted unit is free again; 0 when none is counted. */
  readonly releaseMs: number;
  readonly quota: Quota;
}

interface Lease {
  readonly id: string;
  readonly isolate: string;
  readonly bucket: number;
  readonly granted: number;
  readonly admitted: number;
  readonly isReturned: boolean;
}

export interface LimiterState {
  /** The highest time seen: the object's clock never runs backwards. */
  readonly clockMs: number;
  /** The window that the buckets are cut from. */
  readonly windowMs: number;
  /** Units charged, by bucket, oldest first; at most 16 and none without a charge. */
  readonly buckets: readonly { readonly index: number; readonly spent: number }[];
  /** Oldest first. */
  readonly leases: readonly Lease[];
}

export const EMPTY_STATE: LimiterState = { clockMs: 0, windowMs: 0, buckets: [], leases: [] };

export interface Decision {
  readonly answer: LeaseAnswer;
  readonly state: LimiterState;
  /** Whether the budget changed, so that the state must be stored before the answer leaves. */
  readonly isChanged: boolean;
}

/**
 * Answers an ask. Takes returns in first, so that what comes back can be granted again at once.
 * @param nowMs the object's wall clock; an earlier time than any before counts as the latest seen. A clock that jumps
 *   forward frees budget too early: that is outside the promise.
 */
export function decideAsk(state: LimiterState, nowMs: number, ask: Ask, quota: Quota): Decision {
  const before = advance(state, nowMs, quota.windowMs);
  const repeated = before.leases.find((lease) => lease.id === ask.id);
  if (repeated !== undefined) {
    return { answer: answerFor(before, quota, repeated), state: before, isChanged: false };
  }
  const settled = takeReturns(before, ask.returns);
  const isReturned = settled !== before;
  const granted = sizeOfGrant(settled, ask, quota);
  if (granted === 0)
    return { answer: answerFor(settled, quota, null), state: settled, isChanged: isReturned };
  const lease: Lease = {
    id: ask.id,
    isolate: ask.isolate,
    bucket: bucketAt(settled.clockMs, quota.windowMs),
    granted,
    admitted: Math.min(ask.waiting, granted),
    isReturned: false,
  };
  const charged: LimiterState = {
    ...settled,
    buckets: addTo(settled.buckets, lease.bucket, granted),
    leases: withLease(settled.leases, lease),
  };
  return { answer: answerFor(charged, quota, lease), state: charged, isChanged: true };
}

function withLease(leases: readonly Lease[], lease: Lease): readonly Lease[] {
  const own = leases.filter(({ isolate }) => isolate === lease.isolate);
  const isFull = lease.isolate !== "" && own.length >= LEASES_KEPT_PER_ISOLATE;
  const kept = isFull ? leases.filter((other) => other !== own[0]) : leases;
  return [...kept, lease].slice(-LEASES_KEPT_MAX);
}

/**
 * All the waiting, as far as there is budget; beyond them what is wanted, at most a full lease, and at most an equal
 * share of what remains among the isolates that asked lately and one more that may come.
 */
function sizeOfGrant(state: LimiterState, ask: Ask, quota: Quota): number {
  const remaining = remainingOf(state, quota);
  const share = Math.ceil(remaining / (isolatesLately(state, ask.isolate, quota) + 1));
  const lease = Math.min(ask.want, leaseMaxOf(quota), share);
  return Math.min(remaining, Math.max(ask.waiting, lease));
}

export function leaseMaxOf(quota: Quota): number {
  return quota.leaseMax ?? Math.max(1, Math.floor(quota.limit / 10));
}

export function remainingOf(state: LimiterState, quota: Quota): number {
  const spent = state.buckets.reduce((sum, bucket) => sum + bucket.spent, 0);
  return Math.max(0, quota.limit - spent);
}

/** Whether nothing is counted any more, so that the state may be forgotten without a trace. */
export function isIdle(state: LimiterState, nowMs: number): boolean {
  return advance(state, nowMs, state.windowMs).buckets.length === 0;
}

/** Milliseconds until the oldest counted bucket has left the window; 0 when none is counted. */
export function releaseMsOf(state: LimiterState): number {
  const oldest = state.buckets[0];
  if (oldest === undefined) return 0;
  return (oldest.index + BUCKETS_PER_WINDOW + 1) * bucketMsOf(state.windowMs) - state.clockMs;
}

/** The state at a time: the clock moved on (never back), the buckets that left the window gone. */
export function advance(state: LimiterState, nowMs: number, windowMs: number): LimiterState {
  const clockMs = Math.max(state.clockMs, nowMs);
  const current = bucketAt(clockMs, windowMs);
  if (state.windowMs !== windowMs) return { ...recut(state, current), clockMs, windowMs };
  const isCounted = (bucket: { readonly index: number }) => bucket.index >= current - BUCKETS_PER_WINDOW;
  const oldest = state.buckets[0];
  if (oldest === undefined || isCounted(oldest)) return { ...state, clockMs };
  return { ...state, clockMs, buckets: state.buckets.filter(isCounted) };
}

/** Under another window the old buckets mean nothing: all that is counted moves to now, and old leases are final. */
function recut(state: LimiterState, current: number): LimiterState {
  const spent = state.buckets.reduce((sum, bucket) => sum + bucket.spent, 0);
  return { ...state, buckets: spent === 0 ? [] : [{ index: current, spent }], leases: [] };
}

function takeReturns(state: LimiterState, returns: readonly LeaseReturn[]): LimiterState {
  return returns.reduce(takeReturn, state);
}

/** A lease that is unknown, returned before or whose bucket is gone credits nothing. */
function takeReturn(state: LimiterState, given: LeaseReturn): LimiterState {
  const lease = state.leases.find((candidate) => candidate.id === given.id);
  if (lease === undefined || lease.isReturned) return state;
  const credit = Math.max(0, Math.min(Math.floor(given.unspent), lease.granted - lease.admitted));
  const leases = state.leases.map((other) => (other === lease ? { ...lease, isReturned: true } : other));
  return { ...state, leases, buckets: addTo(state.buckets, lease.bucket, -credit) };
}

/** A credit to a bucket that is no longer counted is lost with it. */
function addTo(buckets: LimiterState["buckets"], index: number, units: number): LimiterState["buckets"] {
  const isKnown = buckets.some((bucket) => bucket.index === index);
  if (!isKnown) return units > 0 ? [...buckets, { index, spent: units }] : buckets;
  return buckets
    .map((bucket) => (bucket.index === index ? { index, spent: bucket.spent + units } : bucket))
    .filter((bucket) => bucket.spent > 0);
}

/** Isolates that were granted something in this bucket or the last, the asking one included. */
function isolatesLately(state: LimiterState, asking: string, quota: Quota): number {
  const current = bucketAt(state.clockMs, quota.windowMs);
  const lately = state.leases.filter((lease) => lease.bucket >= current - 1).map((lease) => lease.isolate);
  return new Set([asking, ...lately]).size;
}

function answerFor(state: LimiterState, quota: Quota, lease: Lease | null): LeaseAnswer {
  return {
    granted: lease?.granted ?? 0,
    admitted: lease?.admitted ?? 0,
    lifeMs: lease === null ? 0 : lifeMsOf(state, lease),
    remaining: remainingOf(state, quota),
    releaseMs: releaseMsOf(state),
    quota,
  };
}

/** A repeated ask may come when the bucket is over: the lease is then worth nothing, only the waiting were admitted. */
function lifeMsOf(state: LimiterState, lease: Lease): number {
  if (lease.isReturned) return 0;
  const bucketEndMs = (lease.bucket + 1) * bucketMsOf(state.windowMs);
  return Math.max(0, Math.min(bucketEndMs - state.clockMs, LEASE_LIFE_MS_MAX));
}

function bucketAt(timeMs: number, windowMs: number): number {
  return Math.floor(timeMs / bucketMsOf(windowMs));
}

function bucketMsOf(windowMs: number): number {
  return windowMs / BUCKETS_PER_WINDOW;
}
