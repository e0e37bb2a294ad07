/**
 * A budget that is charged in the very batch of the attempt: exact as one that asks an object, without the way there.
 *
 * ```
 * charge     where every key has room                    one D1 batch
 * buckets    what counts now: whether it was charged, and until when not
 * effect     guarded on `isCharged`
 * ```
 * The batch is one transaction of the one writer. Nothing in it may fail on what the caller sent: a batch that rolls back
 * takes the charge with it, and asking would be free.
 */
import { done, type Outcome } from "../../kernel/errors";
import { MemoryCache } from "../cache/memory-cache";
import type { Database, Guard, Statement } from "../database";
import type { Deriver } from "../deriver";
import { kept } from "../isolate";
import {
  type BudgetTarget,
  budgetTargets,
  overBudget,
  type Policy,
  refuseBurst,
  type Shield,
} from "../limiter";
import type { Scope } from "../scope";
import { AttemptCounts, type Charge, type CountedBucket, type CountedKey, roomInMs } from "./counts";

/** Until when targets are refused, by the isolate's clock. For module scope: values only. */
export type RefusalMemory = MemoryCache<number>;

/** So long at most D1 is not asked again. What is remembered is true for longer, for no charge is taken back. */
const REMEMBERED_MS = 60_000;
const TARGETS_MAX = 10_000;

export function newRefusalMemory(): RefusalMemory {
  return new MemoryCache({ entriesMax: TARGETS_MAX, bytesMax: TARGETS_MAX, ageMaxMs: REMEMBERED_MS });
}

const isolateMemory = kept(newRefusalMemory);

/** An attempt that may be made: nothing is charged until its batch is committed. */
export interface CountedAttempt {
  /** First in the batch. */
  readonly charge: Statement;
  /** Right after it. */
  readonly buckets: ReturnType<AttemptCounts["select"]>;
  /** Of all that the attempt does. */
  readonly isCharged: Guard;
  /** Whether it was charged, as `buckets` answered. **Errors**: `rate_limited`. */
  judge(buckets: readonly CountedBucket[]): Outcome<null>;
}

export interface CountedBudgetContext {
  readonly database: Database;
  readonly deriver: Deriver;
  readonly shield: Shield;
  /** Default: the isolate's. */
  readonly memory?: RefusalMemory;
  readonly policy: Policy;
  readonly scope: Pick<Scope, "clock" | "newId">;
  /** The database's own clock, unless a test has one. */
  readonly counts?: AttemptCounts;
}

type Target = CountedKey & Pick<BudgetTarget, "object">;

export class CountedBudget {
  readonly #on: CountedBudgetContext;
  readonly #memory: RefusalMemory;
  readonly #counts: AttemptCounts;

  constructor(context: CountedBudgetContext) {
    this.#on = context;
    this.#memory = context.memory ?? isolateMemory();
    this.#counts = context.counts ?? new AttemptCounts(context.database);
  }

  /**
   * Begins an attempt of an address, unless this isolate knows that there is no room. For an IPv6 address the /64 and
   * the /48 (at four times the limit) are both charged, or none.
   * **Errors**: `rate_limited`. **Cost**: no call; in the batch, 1 row for each of the two and 1 of its index, which a
   * second charge within a minute does not write.
   */
  async begin(address: string | null): Promise<Outcome<CountedAttempt>> {
    const { policy, shield, deriver, scope } = this.#on;
    const targets = budgetTargets(policy, { kind: "address", address });
    const rememberedMs = this.#rememberedMs(targets);
    if (rememberedMs > 0) return overBudget(policy.name, rememberedMs);
    const burst = await refuseBurst(shield, targets);
    if (burst !== null) return burst;
    const keys = await Promise.all(
      targets.map(async ({ object, quota: { limit } }) => {
        return { object, limit, key: await deriver.derive("attempt count", object) };
      }),
    );
    const charge = { id: scope.newId(), keys, windowMs: policy.windowSeconds * 1000 };
    return done({
      charge: this.#counts.charge(charge),
      buckets: this.#counts.select(charge),
      isCharged: this.#counts.isCharged(charge),
      judge: (buckets) => this.#judge(charge, keys, buckets),
    });
  }

  /** Deletes what counts no more. Run by the cron. @returns how many rows went */
  async sweep(): Promise<number> {
    return await this.#counts.sweep(this.#on.policy.windowSeconds * 1000);
  }

  #rememberedMs(targets: readonly BudgetTarget[]): number {
    const { scope } = this.#on;
    const now = scope.clock();
    return Math.max(...targets.map(({ object }) => (this.#memory.get(object, now) ?? now) - now));
  }

  /** Remembers who has no room left, so that the next one is refused here: before a password is hashed, too. */
  #judge({ id }: Charge, targets: readonly Target[], buckets: readonly CountedBucket[]): Outcome<null> {
    const { policy, scope } = this.#on;
    const now = scope.clock();
    const waits = targets.map((target) => {
      const waitMs = roomInMs(target, buckets);
      if (waitMs > 0) this.#memory.set(target.object, now + waitMs, 1, now);
      return waitMs;
    });
    const isCharged = buckets.some(({ lastChargeId }) => lastChargeId === id);
    return isCharged ? done(null) : overBudget(policy.name, Math.max(...waits));
  }
}
