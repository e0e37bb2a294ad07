/**
 * Attempts at what an attacker would repeat: each is charged to its budgets before it is made, and charged to all of
 * them or to none.
 */
import { done, type Outcome } from "../../kernel/errors";
import type { Deriver } from "../../platform/deriver";
import type { BudgetSubject, Charge, ExactBudgets } from "../../platform/limiter";
import type { Scope } from "../../platform/scope";
import type { AuthBudgetName } from "./budgets";

/** Whose budget: that of the address that calls, or of an account, known or not. */
export type AttemptCharge = readonly [AuthBudgetName, "caller" | { readonly account: string }];

export interface Charged {
  /** Takes the charges back: the attempt does not count. Never throws. */
  refund(): Promise<void>;
  /** Runs the attempt. One that was never decided, because something failed, does not count. */
  refundOnFailure<T>(work: () => Promise<T>): Promise<T>;
}

export class AuthAttempts {
  readonly #budgets: ExactBudgets<AuthBudgetName>;
  readonly #deriver: Deriver;
  readonly #scope: Scope;

  constructor(budgets: ExactBudgets<AuthBudgetName>, deriver: Deriver, scope: Scope) {
    this.#budgets = budgets;
    this.#deriver = deriver;
    this.#scope = scope;
  }

  /**
   * **Errors**: `rate_limited`, the same for an account that exists and one that does not; `unavailable` when a budget
   * cannot be asked. **Cost**: one call to an object for each charge, side by side.
   */
  async begin(charges: readonly AttemptCharge[]): Promise<Outcome<Charged>> {
    const settled = await Promise.allSettled(
      charges.map(async ([name, subject]) => await this.#charge(name, subject)),
    );
    const outcomes = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const taken = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value] : []));
    if (taken.length === charges.length) return done(chargedWith(taken));
    await refundAll(taken);
    const refused = outcomes.find((outcome) => !outcome.ok);
    if (refused !== undefined && !refused.ok) return refused;
    throw settled.find((one) => one.status === "rejected")?.reason;
  }

  async #charge(...[name, whose]: AttemptCharge): Promise<Outcome<Charge>> {
    return await this.#budgets.spend(name, await this.#subjectOf(whose));
  }

  async #subjectOf(whose: AttemptCharge[1]): Promise<BudgetSubject> {
    if (whose === "caller") return { kind: "address", address: this.#scope.caller?.address ?? null };
    // The name of an object shows in dashboards: an address must not be readable there.
    return { kind: "account", id: await this.#deriver.derive("budget account", whose.account) };
  }
}

function chargedWith(charges: readonly Charge[]): Charged {
  const refund = () => refundAll(charges);
  return {
    refund,
    async refundOnFailure(work) {
      try {
        return await work();
      } catch (error) {
        await refund();
        throw error;
      }
    },
  };
}

async function refundAll(charges: readonly Charge[]): Promise<void> {
  await Promise.all(charges.map((charge) => charge.refund()));
}
