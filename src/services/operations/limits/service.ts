/**
 * Limits of single clients and of plans, for administrators. D1 is the truth; each client's object holds a copy, so
 * that no request reads D1 for it. What is set is committed first and copied then, what is cleared is cleared in the
 * object first: whichever step fails, the call answers 503 and repeating it ends the job. Two administrators who set
 * one client at the same moment may leave it with the other's numbers until the next call.
 */

import type { Actor } from "../../../kernel/actor";
import { done, type Outcome, refuseInvalid, refuseNotFound } from "../../../kernel/errors";
import { authorize } from "../../../kernel/permissions";
import type { Call } from "../../../platform/call";
import { change } from "../../../platform/change";
import type { ChangeTools } from "../../../platform/change-plan";
import type { ClientKey, LimiterAdmin, Policy } from "../../../platform/limiter";
import type { LimitSubject } from "./model";
import { LimitRepository, OVERRIDES, type OverrideRow, PLAN_CLIENTS_MAX, PLANS } from "./repository";
import type { ClientLimit, LimitNumbers, PlanLimit, SetLimitInput } from "./schemas";

interface Dependencies extends ChangeTools {
  readonly objects: LimiterAdmin;
  /** The policy that clients without an override have. */
  readonly policy: Policy;
}

/** Objects told side by side. */
const PUSH_WIDTH = 50;

export class LimitService {
  readonly #on: Dependencies;
  readonly #repository: LimitRepository;

  constructor(dependencies: Dependencies) {
    this.#on = dependencies;
    this.#repository = new LimitRepository(dependencies.database);
  }

  /**
   * The numbers in force and what is spent of them.
   * **Errors**: `forbidden`; `not_found` for an unknown plan; `unavailable`. **Cost**: 1 D1 round trip, 1 object call.
   */
  async show(call: Call, subject: LimitSubject): Promise<Outcome<ClientLimit | PlanLimit>> {
    const { actor } = call;
    const permitted = authorize(actor, "limit.manage");
    if (!permitted.ok) return permitted;
    const { database } = this.#on;
    if (subject.kind === "plan") {
      const {
        rows: [[plan], clients],
      } = await database.read("primary", [
        this.#repository.selectPlan(subject.plan),
        this.#repository.clientsOf(subject.plan),
      ]);
      return plan === undefined
        ? refuseNotFound()
        : done(
            toPlanLimit(
              subject.plan,
              plan,
              clients.map(({ client }) => client),
            ),
          );
    }
    const {
      rows: [[row]],
    } = await database.read("primary", [this.#repository.selectOverride(subject.client)]);
    return done(await this.#describe(subject.client, row ?? null));
  }

  /**
   * Gives a client, or every client of a plan, other numbers. In force within a lease's life, 60 s.
   * **Errors**: `forbidden`; `validation_failed` (unknown or full plan, a plan within a plan); `unavailable`.
   * **Cost**: 2 D1 round trips; 2 object calls, for a plan one for each of its clients.
   */
  async set(
    call: Call,
    subject: LimitSubject,
    input: SetLimitInput,
  ): Promise<Outcome<ClientLimit | PlanLimit>> {
    const { actor } = call;
    const permitted = authorize(actor, "limit.manage");
    if (!permitted.ok) return permitted;
    if (subject.kind === "client") return await this.#setClient(call, subject.client, input);
    if ("plan" in input) {
      return refuseInvalid({ pointer: "#/plan", code: "unknown_field", message: "A plan has no plan." });
    }
    return await this.#setPlan(call, subject.plan, input);
  }

  async #setPlan(call: Call, plan: string, numbers: LimitNumbers): Promise<Outcome<PlanLimit>> {
    const changed = await change(this.#on, call, {
      ...{ table: PLANS, id: plan, subject: `plan:${plan}`, action: "limit.set", noun: "limit" },
      select: this.#repository.selectPlanWithClients(plan),
      rowOf: toPlanRow,
      decide: (row, mark) =>
        done({
          writes: [this.#repository.setPlan(mark, numbers)],
          answer: toPlanLimit(plan, numbers, row?.clients ?? []),
          details: { ...numbers },
        }),
      answerOf: (row) => toPlanLimit(plan, numbers, row.clients),
    });
    if (changed.ok) await this.#push(changed.value.clients, numbers);
    return changed;
  }

  /**
   * The policy's numbers again, and the budget free: what was admitted is forgotten, what was revoked is not. Of a
   * plan: its clients have the policy's numbers again, and nothing is reset.
   * **Errors**: `forbidden`, `unavailable`. **Cost**: 2 D1 round trips, 2 object calls (one for each client of a plan).
   */
  async clear(call: Call, subject: LimitSubject): Promise<Outcome<null>> {
    const { actor } = call;
    const permitted = authorize(actor, "limit.manage");
    if (!permitted.ok) return permitted;
    const { database, objects } = this.#on;
    const audited = this.#audited(actor, "limit.clear", subject, {});
    if (subject.kind === "plan") {
      const {
        rows: [clients],
      } = await database.read("primary", [this.#repository.clientsOf(subject.plan)]);
      await this.#push(
        clients.map(({ client }) => client),
        null,
      );
      await database.commit([...this.#repository.deletePlan(subject.plan), audited]);
      return done(null);
    }
    await objects.setOverride(subject.client, null);
    await objects.reset(subject.client);
    await database.commit([this.#repository.deleteOverride(subject.client), audited]);
    return done(null);
  }

  async #setClient(call: Call, client: ClientKey, input: SetLimitInput): Promise<Outcome<ClientLimit>> {
    const changed = await change(this.#on, call, {
      ...{ table: OVERRIDES, id: client, subject: client, action: "limit.set", noun: "limit" },
      select: this.#repository.selectOverride(client),
      also: "plan" in input ? [this.#repository.selectPlanWithClients(input.plan)] : [],
      rowOf: ([row]) => row ?? null,
      decide: (_row, mark, also) => {
        const joined = "plan" in input ? joinedPlan(client, toPlanRow(also?.[0] ?? [])) : done(input);
        if (!joined.ok) return joined;
        const plan = "plan" in input ? input.plan : null;
        return done({
          writes: [this.#repository.setOverride(mark, input)],
          answer: { ...joined.value, plan, lastChangeId: mark.changeId },
          details: { ...input },
        });
      },
      // A plan's numbers are those of the commit.
      answerOf: (row) => row,
    });
    if (!changed.ok) return changed;
    await this.#on.objects.setOverride(client, changed.value);
    return done(await this.#describe(client, changed.value));
  }

  async #describe(client: ClientKey, override: OverrideRow | null): Promise<ClientLimit> {
    const { objects, policy } = this.#on;
    const numbers: LimitNumbers = override ?? policy;
    const { window } = await objects.report(client);
    const spent = window?.spent ?? 0;
    return {
      client,
      limit: numbers.limit,
      windowSeconds: numbers.windowSeconds,
      isShadow: numbers.isShadow,
      source: override === null ? "default" : override.plan === null ? "override" : "plan",
      plan: override?.plan ?? null,
      current: {
        spent,
        remaining: Math.max(0, numbers.limit - spent),
        resetSeconds: Math.ceil((window?.releaseMs ?? 0) / 1000),
        openLeases: window?.openLeases ?? 0,
      },
    };
  }

  async #push(clients: readonly ClientKey[], to: LimitNumbers | null): Promise<void> {
    for (let from = 0; from < clients.length; from += PUSH_WIDTH) {
      const some = clients.slice(from, from + PUSH_WIDTH);
      await Promise.all(some.map((client) => this.#on.objects.setOverride(client, to)));
    }
  }

  #audited(actor: Actor, action: string, subject: LimitSubject, details: object) {
    const named = subject.kind === "plan" ? `plan:${subject.plan}` : subject.client;
    return this.#on.audit.record({ actor, action, subject: named, details });
  }
}

interface PlanRow extends LimitNumbers {
  readonly lastChangeId: string;
  readonly clients: readonly ClientKey[];
}

/** @param rows of `selectPlanWithClients` */
function toPlanRow(
  rows: readonly { readonly plan: Omit<PlanRow, "clients">; readonly client: ClientKey | null }[],
): PlanRow | null {
  const [first] = rows;
  if (first === undefined) return null;
  return { ...first.plan, clients: rows.flatMap(({ client }) => (client === null ? [] : [client])) };
}

/** The numbers of a plan that a client may join. **Errors**: `validation_failed` for a plan that is unknown or full. */
function joinedPlan(client: ClientKey, plan: PlanRow | null): Outcome<LimitNumbers> {
  if (plan === null)
    return refuseInvalid({ pointer: "#/plan", code: "unknown", message: "There is no such plan." });
  if (plan.clients.length < PLAN_CLIENTS_MAX || plan.clients.includes(client)) return done(plan);
  const message = `A plan has at most ${PLAN_CLIENTS_MAX} clients.`;
  return refuseInvalid({ pointer: "#/plan", code: "too_many", message });
}

function toPlanLimit(
  plan: string,
  { limit, windowSeconds, isShadow }: LimitNumbers,
  clients: readonly ClientKey[],
): PlanLimit {
  return { plan, limit, windowSeconds, isShadow, clients };
}
