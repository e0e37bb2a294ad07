/**
 * One object a client (or one an auth budget and key): it keeps what the rule of the limit decides on, and the
 * client's revocations. Everything is in storage, for an idle object is evicted after seconds.
 */
import { DurableObject } from "cloudflare:workers";
import type { Clock } from "../../kernel/clock";
import { systemClock } from "../clock";
import {
  type Ask,
  advance,
  BUCKETS_PER_WINDOW,
  decideAsk,
  EMPTY_STATE,
  isIdle,
  type LeaseAnswer,
  type LimiterState,
  type Quota,
  releaseMsOf,
} from "./lease-rule";
import {
  addRevocations,
  isNothingRevoked,
  type NewRevocations,
  NO_REVOCATIONS,
  nextExpiry,
  pruneRevocations,
  REVOKED_SESSIONS_MAX,
  type Revocations,
} from "./revocations";

/** An answer with what the isolate must know of the client's tokens while the lease lives. */
export interface Grant extends LeaseAnswer {
  readonly revocations: Revocations;
  /** Counts without refusing: an override asked for it. */
  readonly isShadow: boolean;
}

/** An admin's numbers for this client, in place of the policy's. */
export interface QuotaOverride {
  readonly limit: number;
  readonly windowMs: number;
  readonly isShadow: boolean;
}

/** What the object knows, for an admin. */
export interface LimiterReport {
  /** Null before the first ask. */
  readonly window: {
    readonly windowMs: number;
    readonly spent: number;
    readonly releaseMs: number;
    readonly openLeases: number;
  } | null;
  readonly override: QuotaOverride | null;
  readonly revokedSessions: number;
  readonly minEpoch: number;
}

const STATE = "state";
const REVOCATIONS = "revocations";
const OVERRIDE = "override";

export class ClientLimiter extends DurableObject<Env> {
  /** Replaced in tests. Not reachable by RPC, which sees only methods. */
  clock: Clock = systemClock;
  #state: LimiterState;
  #revocations: Revocations;
  #override: QuotaOverride | null;
  #hasAlarm: boolean | undefined;

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    const { kv } = context.storage;
    this.#state = kv.get<LimiterState>(STATE) ?? EMPTY_STATE;
    this.#revocations = kv.get<Revocations>(REVOCATIONS) ?? NO_REVOCATIONS;
    this.#override = kv.get<QuotaOverride>(OVERRIDE) ?? null;
  }

  /**
   * Decides on an ask. The output gate holds the answer until the write is durable, so that no eviction forgets a
   * grant that somebody spends. **Cost**: one write for a grant or a return, none for a refusal.
   */
  async ask(ask: Ask, quota: Quota): Promise<Grant> {
    const decision = decideAsk(this.#state, this.clock(), ask, this.#quotaFor(quota));
    this.#state = decision.state;
    if (decision.isChanged) {
      this.ctx.storage.kv.put(STATE, this.#state);
      await this.#ensureAlarm(this.#idleAt());
    }
    this.#revocations = pruneRevocations(this.#revocations, this.#state.clockMs);
    return {
      ...decision.answer,
      revocations: this.#revocations,
      isShadow: this.#override?.isShadow ?? false,
    };
  }

  /**
   * Adds revocations. When it returns they are durable, and every lease granted from now on carries them.
   * @returns false when there are too many sessions: nothing was added
   */
  async revoke(added: NewRevocations): Promise<boolean> {
    const next = addRevocations(pruneRevocations(this.#revocations, this.#now()), added);
    if (next.sessions.length > REVOKED_SESSIONS_MAX) return false;
    this.#revocations = next;
    this.ctx.storage.kv.put(REVOCATIONS, next);
    const expiry = nextExpiry(next);
    if (expiry !== null) await this.#ensureAlarm(expiry);
    return true;
  }

  /** Answers, which is all that a probe asks. Writes nothing, so an object that only this is asked of does not last. */
  async ping(): Promise<void> {}

  async report(): Promise<LimiterReport> {
    const { windowMs } = this.#state;
    const state = windowMs === 0 ? null : advance(this.#state, this.clock(), windowMs);
    return {
      window: state && {
        windowMs,
        spent: state.buckets.reduce((sum, bucket) => sum + bucket.spent, 0),
        releaseMs: releaseMsOf(state),
        openLeases: state.leases.filter((lease) => !lease.isReturned).length,
      },
      override: this.#override,
      revokedSessions: this.#revocations.sessions.length,
      minEpoch: this.#revocations.minEpoch,
    };
  }

  /** Takes an admin's numbers, or null for the policy's again. In force from the next ask: within a lease's life. */
  async setOverride(override: QuotaOverride | null): Promise<void> {
    this.#override = override;
    if (override === null) this.ctx.storage.kv.delete(OVERRIDE);
    else this.ctx.storage.kv.put(OVERRIDE, override);
  }

  /**
   * Forgets what was admitted, never what was revoked. Leases that are out stay spendable for the rest of their life:
   * a reset is somebody's decision to admit more.
   */
  async reset(): Promise<void> {
    this.#state = { ...EMPTY_STATE, clockMs: this.#now() };
    this.ctx.storage.kv.put(STATE, this.#state);
  }

  /** Deletes what nothing can ask about any more, and leaves no trace of an idle client. */
  override async alarm(): Promise<void> {
    this.#hasAlarm = false;
    const now = this.#now();
    this.#revocations = pruneRevocations(this.#revocations, now);
    const isQuiet = isIdle(this.#state, now);
    if (isQuiet && isNothingRevoked(this.#revocations) && this.#override === null) {
      this.#state = EMPTY_STATE;
      await this.ctx.storage.deleteAll();
      return;
    }
    this.ctx.storage.kv.put(REVOCATIONS, this.#revocations);
    const due = [isQuiet ? null : this.#idleAt(), nextExpiry(this.#revocations)].filter((at) => at !== null);
    if (due.length > 0) await this.#ensureAlarm(Math.min(...due));
  }

  #quotaFor(quota: Quota): Quota {
    const override = this.#override;
    return override === null
      ? quota
      : { limit: override.limit, windowMs: override.windowMs, leaseMax: quota.leaseMax };
  }

  /** Never behind the latest time seen, not even across evictions: the state carries it. */
  #now(): number {
    return Math.max(this.#state.clockMs, this.clock());
  }

  /** When the last bucket has left the window, if nothing more is granted. */
  #idleAt(): number {
    return this.#now() + (this.#state.windowMs * (BUCKETS_PER_WINDOW + 2)) / BUCKETS_PER_WINDOW;
  }

  /** One alarm at a time: an earlier one that is set already sets the next when it fires. */
  async #ensureAlarm(at: number): Promise<void> {
    this.#hasAlarm ??= (await this.ctx.storage.getAlarm()) !== null;
    if (this.#hasAlarm) return;
    this.#hasAlarm = true;
    await this.ctx.storage.setAlarm(at);
  }
}
