/** Plans and overrides in D1, as statements. */
import { asc, eq, sql } from "drizzle-orm";
import { limitOverrides, limitPlans } from "../../../../drizzle/schema/operations";
import type { Database, Statement } from "../../../platform/database";
import type { ClientKey } from "../../../platform/limiter";
import { MarkedTable, type PendingMark } from "../../../platform/mark";
import type { LimitNumbers } from "./schemas";

/** Clients of one plan: a change of its numbers is carried to each of their objects. */
export const PLAN_CLIENTS_MAX = 500;

/** A client's numbers and where they come from. */
export interface OverrideRow extends LimitNumbers {
  readonly plan: string | null;
  readonly lastChangeId: string;
}

export const OVERRIDES = new MarkedTable({
  id: limitOverrides.client,
  lastChangeId: limitOverrides.lastChangeId,
});
export const PLANS = new MarkedTable({ id: limitPlans.name, lastChangeId: limitPlans.lastChangeId });

export class LimitRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** One `OverrideRow`, or none when the client has the policy's numbers. */
  selectOverride(client: ClientKey) {
    return this.#database.build
      .select({
        plan: limitOverrides.plan,
        lastChangeId: limitOverrides.lastChangeId,
        limit: sql<number>`coalesce(${limitPlans.limit}, ${limitOverrides.limit})`.as("limit"),
        windowSeconds: sql<number>`coalesce(${limitPlans.windowSeconds}, ${limitOverrides.windowSeconds})`.as(
          "window",
        ),
        isShadow: sql<number>`coalesce(${limitPlans.isShadow}, ${limitOverrides.isShadow})`
          .mapWith(Boolean)
          .as("shadow"),
      })
      .from(limitOverrides)
      .leftJoin(limitPlans, eq(limitPlans.name, limitOverrides.plan))
      .where(eq(limitOverrides.client, client))
      .limit(1);
  }

  /** Writes the client's numbers, or its plan if there is such a plan, while its row is as it was read. */
  setOverride({ id, changeId, was }: PendingMark, to: LimitNumbers | { readonly plan: string }): Statement {
    const { plan, limit, windowSeconds, isShadow } =
      "plan" in to
        ? { plan: to.plan, limit: null, windowSeconds: null, isShadow: null }
        : { plan: null, ...to };
    const isKnown =
      plan === null
        ? sql`true`
        : sql`exists (select 1 from ${limitPlans} where ${limitPlans.name} = ${plan})`;
    return this.#database.build
      .insert(limitOverrides)
      .select(
        sql`select ${id}, ${plan}, ${limit}, ${windowSeconds}, ${isShadow === null ? null : Number(isShadow)}, ${changeId} where ${isKnown}`,
      )
      .onConflictDoUpdate({
        target: limitOverrides.client,
        set: { plan, limit, windowSeconds, isShadow, lastChangeId: changeId },
        setWhere: sql`${limitOverrides.lastChangeId} is ${was}`,
      });
  }

  deleteOverride(client: ClientKey): Statement {
    return this.#database.build.delete(limitOverrides).where(eq(limitOverrides.client, client));
  }

  selectPlan(name: string) {
    return this.#database.build.select().from(limitPlans).where(eq(limitPlans.name, name)).limit(1);
  }

  /** The plan's numbers, once for each of its clients, and once with a null client when it has none. */
  selectPlanWithClients(name: string) {
    return this.#database.build
      .select({ plan: limitPlans, client: limitOverrides.client })
      .from(limitPlans)
      .leftJoin(limitOverrides, eq(limitOverrides.plan, limitPlans.name))
      .where(eq(limitPlans.name, name))
      .orderBy(asc(limitOverrides.client))
      .limit(PLAN_CLIENTS_MAX + 1);
  }

  /** One more than there may be tells that there are too many. */
  clientsOf(plan: string) {
    return this.#database.build
      .select({ client: limitOverrides.client })
      .from(limitOverrides)
      .where(eq(limitOverrides.plan, plan))
      .orderBy(asc(limitOverrides.client))
      .limit(PLAN_CLIENTS_MAX + 1);
  }

  /** Writes the plan's numbers while its row is as it was read. */
  setPlan({ id, changeId, was }: PendingMark, { limit, windowSeconds, isShadow }: LimitNumbers): Statement {
    const row = { limit, windowSeconds, isShadow, lastChangeId: changeId };
    return this.#database.build
      .insert(limitPlans)
      .values({ name: id, ...row })
      .onConflictDoUpdate({
        target: limitPlans.name,
        set: row,
        setWhere: sql`${limitPlans.lastChangeId} is ${was}`,
      });
  }

  /** The plan, and every client's place in it. */
  deletePlan(name: string): [Statement, Statement] {
    return [
      this.#database.build.delete(limitOverrides).where(eq(limitOverrides.plan, name)),
      this.#database.build.delete(limitPlans).where(eq(limitPlans.name, name)),
    ];
  }
}
