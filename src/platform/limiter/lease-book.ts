/**
 * What one isolate remembers of its clients: leases, refusals, how much each used of late, and who waits for an ask.
 * It lives at module scope and outlasts requests, so it holds plain values and callbacks, never a promise or a stub.
 */

import type { Ask, Quota } from "./lease-rule";
import type { Letterbox } from "./letterbox";
import { NO_REVOCATIONS, type Revocations } from "./revocations";

/** Admissions that the isolate may spend in memory. */
export interface HeldLease {
  readonly id: string;
  /** As it was granted, what was admitted with it included. */
  readonly size: number;
  unspent: number;
  /** By the isolate's clock, counted from when the ask was sent. The lease is void from then on. */
  readonly expiresAt: number;
}

/** What the last answer said; good for headers, and for revocations as long as the lease lives. */
export interface KnownWindow {
  readonly quota: Quota;
  /** Free budget outside the lease. */
  readonly remaining: number;
  /** By the isolate's clock: when the first counted unit is free again. */
  readonly releaseAt: number;
  readonly isShadow: boolean;
}

export interface Known {
  readonly window: KnownWindow;
  readonly revocations: Revocations;
}

export type Verdict =
  /** By the object for one who waited, at the object's instant; or out of a lease, here and now. */
  | { readonly kind: "admitted"; readonly known: Known; readonly by: "object" | "lease" }
  | { readonly kind: "refused"; readonly known: Known }
  /** The object failed or was silent. */
  | { readonly kind: "silent" }
  /** The burst shield kept the ask from the object. */
  | { readonly kind: "shielded" }
  /** The answer did not reach as far as you: look again, and ask if need be. */
  | { readonly kind: "again" };

/** An ask on its way. Kept as a value, so that another request can send it again under the same id. */
export interface PendingAsk {
  readonly ask: Ask;
  /** Moves while somebody attends to it; one that stands still has lost its request. */
  beats: number;
}

/** Admissions without the object's leave, and the end of the minute that they count in. */
export interface Allowance {
  spent: number;
  endsAt: number;
}

export interface ClientEntry {
  lease: HeldLease | null;
  /** Asked for before the lease was spent, and spent after it. */
  reserve: HeldLease | null;
  /** The lease that a reserve was asked for already: once each, whatever came of it. */
  followedLease: string | null;
  known: Known | null;
  /** Refused until then, by the isolate's clock; 0 when not. */
  refusedUntil: number;
  /** The object is taken for silent until then, and not asked. */
  silentUntil: number;
  allowance: Allowance;
  /** What this isolate itself revoked: an answer that was on its way meanwhile does not know of it. */
  revokedHere: Revocations;
  /** Size of the last ask, and what was admitted in the period (the lease's bucket) that it belongs to. */
  lastWant: number;
  demand: number;
  periodEndsAt: number;
  pending: PendingAsk | null;
  /** Everyone who waits, the asking request included. First come, first served. */
  waiting: Letterbox<Verdict>[];
  /** Leases to give back on the next ask. */
  returns: { id: string; unspent: number }[];
}

/** About 1 KB each at most, of the isolate's 128 MB. */
export const CLIENTS_MAX = 10_000;
/** Unspent leases carried to the next ask; what does not fit is lost until its bucket leaves the window. */
const RETURNS_MAX = 8;
/** How far the clocks of two requests of one isolate may lie apart. */
const CLOCK_LAG_MS_MAX = 1_000;

/** A lease that left the book unspent. */
export interface Evicted {
  readonly key: string;
  readonly entry: ClientEntry;
}

export class LeaseBook {
  /** Names this isolate to the objects. */
  readonly isolate: string;
  readonly #clients = new Map<string, ClientEntry>();
  readonly #max: number;
  /** How often the clock was set back: dates from before mean nothing after. */
  setBacks = 0;
  #latestSeen = 0;

  constructor(isolate: string, max = CLIENTS_MAX) {
    this.isolate = isolate;
    this.#max = max;
  }

  /**
   * The entry of a client, made when there is none. Making one may push out the client that was used least lately and
   * has nobody waiting; its unspent lease is then the caller's to return.
   */
  entry(key: string): { readonly entry: ClientEntry; readonly evicted: Evicted | null } {
    const known = this.#clients.get(key);
    if (known !== undefined) {
      this.#clients.delete(key);
      this.#clients.set(key, known);
      return { entry: known, evicted: null };
    }
    const evicted = this.#clients.size >= this.#max ? this.#evict() : null;
    const entry = newEntry();
    this.#clients.set(key, entry);
    return { entry, evicted };
  }

  /** The entry if there is one. */
  peek(key: string): ClientEntry | undefined {
    return this.#clients.get(key);
  }

  get size(): number {
    return this.#clients.size;
  }

  /**
   * The isolate's time, which every decision goes by. It never runs backwards: requests see clocks that stand still
   * between their I/O, so one may lag behind another by a little. When the clock itself was set back, every lease is
   * given up and every date forgotten, for they would hold longer than they should. A set-back that is noticed only
   * after the isolate idled for as long cannot be told from idling: the promise needs clocks that are slewed, not set.
   */
  observe(nowMs: number): number {
    if (nowMs < this.#latestSeen - CLOCK_LAG_MS_MAX) {
      this.setBacks += 1;
      this.#latestSeen = nowMs;
      for (const entry of this.#clients.values()) forgetDates(entry);
    }
    this.#latestSeen = Math.max(this.#latestSeen, nowMs);
    return this.#latestSeen;
  }

  #evict(): Evicted | null {
    for (const [key, entry] of this.#clients) {
      if (entry.pending !== null || entry.waiting.length > 0) continue;
      this.#clients.delete(key);
      return { key, entry };
    }
    return null;
  }
}

/** Moves what is left of the lease, and of a reserve, to the returns. */
export function giveUpLease(entry: ClientEntry): void {
  for (const lease of [entry.lease, entry.reserve]) {
    if (lease !== null && lease.unspent > 0) rememberReturn(entry, { id: lease.id, unspent: lease.unspent });
  }
  entry.lease = null;
  entry.reserve = null;
}

function forgetDates(entry: ClientEntry): void {
  giveUpLease(entry);
  entry.refusedUntil = 0;
  entry.silentUntil = 0;
  entry.periodEndsAt = 0;
  entry.allowance.endsAt = 0;
}

export function rememberReturn(entry: ClientEntry, given: { id: string; unspent: number }): void {
  entry.returns = [...entry.returns, given].slice(-RETURNS_MAX);
}

function newEntry(): ClientEntry {
  return {
    lease: null,
    reserve: null,
    followedLease: null,
    known: null,
    refusedUntil: 0,
    silentUntil: 0,
    allowance: { spent: 0, endsAt: 0 },
    revokedHere: NO_REVOCATIONS,
    lastWant: 0,
    demand: 0,
    periodEndsAt: 0,
    pending: null,
    waiting: [],
    returns: [],
  };
}
