/**
 * Exact budgets: each attempt asks the object of its (budget, key). They have no leases, because they are small and guard
 * secrets: when the object does not answer, they refuse.
 *
 * An attempt is charged *before* it is made and refunded when it turns out not to count, because it succeeded. So
 * of a thousand guesses at once no more than the limit are ever tried; checking first and charging on failure would
 * let all of them through the check.
 */
import { done, type Outcome } from "../../kernel/errors";
import type { NewId } from "../../kernel/ids";
import type { Calls } from "../observability/calls";
import type { Logger } from "../observability/logger";
import {
  type BudgetSubject,
  type BudgetTarget,
  budgetTargets,
  overBudget,
  refuseBurst,
} from "./budget-target";
import type { Shield } from "./burst-shield";
import type { Grant } from "./client-limiter";
import type { Ask } from "./lease-rule";
import type { LimiterObject } from "./limiter";
import type { Policy } from "./policies";
import { objectUnavailable, SILENT, type Sleep, sendUntilSilent } from "./silence";

/** An attempt that was charged. */
export interface Charge {
  /**
   * Takes the charge back, for an attempt that does not count. Counts once. Never throws: what cannot be refunded
   * stays charged until its bucket leaves the window.
   */
  refund(): Promise<void>;
}

export interface ExactBudgetsContext<Name extends string> {
  readonly objectOf: (name: string) => LimiterObject;
  readonly shield: Shield;
  readonly policies: Readonly<Record<Name, Policy>>;
  readonly newId: NewId;
  readonly sleep: Sleep;
  readonly calls: Calls;
  readonly log: Logger;
}

export class ExactBudgets<Name extends string> {
  readonly #context: ExactBudgetsContext<Name>;

  constructor(context: ExactBudgetsContext<Name>) {
    this.#context = context;
  }

  /**
   * Charges one attempt. For an IPv6 address the /64 and the /48 (at four times the limit) are both charged, or none.
   * The refusal is `rate_limited` with `Retry-After` and `violated-policies`, and the same whether or not the account
   * exists.
   * **Errors**: `unavailable` when an object failed or was silent. **Cost**: one object call, two side by side for IPv6.
   */
  async spend(name: Name, subject: BudgetSubject): Promise<Outcome<Charge>> {
    const targets = budgetTargets(this.#context.policies[name], subject);
    const burst = await refuseBurst(this.#context.shield, targets);
    if (burst !== null) return burst;
    const settled = await Promise.allSettled(targets.map((target) => this.#charge(target)));
    const charged = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const granted = charged.filter(({ grant }) => grant.granted > 0);
    const refund = async () => {
      await Promise.all(granted.map((one) => this.#refund(one)));
    };
    if (granted.length === targets.length) return done({ refund });
    await refund();
    const refused = charged.filter(({ grant }) => grant.granted === 0);
    if (refused.length === 0) throw settled.find((one) => one.status === "rejected")?.reason;
    return overBudget(name, Math.max(...refused.map(({ grant }) => grant.releaseMs)));
  }

  async #charge(target: BudgetTarget): Promise<{ target: BudgetTarget; id: string; grant: Grant }> {
    const id = this.#context.newId();
    const grant = await this.#callObject(target, { id, isolate: "", waiting: 0, want: 1, returns: [] });
    return { target, id, grant };
  }

  async #refund({ target, id }: { target: BudgetTarget; id: string }): Promise<void> {
    const ask: Ask = {
      id: this.#context.newId(),
      isolate: "",
      waiting: 0,
      want: 0,
      returns: [{ id, unspent: 1 }],
    };
    await this.#callObject(target, ask).catch((error: unknown) => {
      this.#context.log.log("warn", "limiter.not_refunded", { error });
    });
  }

  async #callObject({ object, quota }: BudgetTarget, ask: Ask): Promise<Grant> {
    const { calls, objectOf, sleep } = this.#context;
    const send = () => {
      calls.objectCalls += 1;
      return objectOf(object).ask(ask, quota);
    };
    const grant = await sendUntilSilent(send, sleep).catch((cause: unknown) => {
      throw objectUnavailable("a budget's object failed", cause);
    });
    if (grant === SILENT) throw objectUnavailable("a budget's object did not answer");
    return grant;
  }
}
