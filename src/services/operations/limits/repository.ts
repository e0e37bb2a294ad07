/** Plans and overrides in D1, as statements. */
import { asc, eq, sql } from "drizzle-orm";
import { limitOverrides, limitPlans } from "../../../../drizzle/schema/operations";
import type { Database, Statement } from "../../../platform/database";
import type { ClientKey } from "../../../platform/limiter";
import type { LimitNumbers } from "./schemas";

/** Clients of one plan: a change of its numbers is carried to each of their objects. */
export const PLAN_CLIENTS_MAX = 500;

/** A client's numbers and where they come from. */
export interface OverrideRow extends LimitNumbers {
  readonly plan: string | null;
}

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

  setOverride(client: ClientKey, to: LimitNumbers | { readonly plan: string }): Statement {
    const row =
      "plan" in to
        ? { plan: to.plan, limit: null, windowSeconds: null, isShadow: null }
        : { plan: null, limit: to.limit, windowSeconds: to.windowSeconds, isShadow: to.isShadow };
    return this.#database.build
      .insert(limitOverrides)
      .values({ client, ...row })
      .onConflictDoUpdate({ target: limitOverrides.client, set: row });
  }

  deleteOverride(client: ClientKey): Statement {
    return this.#database.build.delete(limitOverrides).where(eq(limitOverrides.client, client));
  }

  selectPlan(name: string) {
    return this.#database.build.select().from(limitPlans).where(eq(limitPlans.name, name)).limit(1);
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

  setPlan(name: string, numbers: LimitNumbers): Statement {
    return this.#database.build
      .insert(limitPlans)
      .values({ name, ...numbers })
      .onConflictDoUpdate({ target: limitPlans.name, set: numbers });
  }

  /** The plan, and every client's place in it. */
  deletePlan(name: string): [Statement, Statement] {
    return [
      this.#database.build.delete(limitOverrides).where(eq(limitOverrides.plan, name)),
      this.#database.build.delete(limitPlans).where(eq(limitPlans.name, name)),
    ];
  }
}
