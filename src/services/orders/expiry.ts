/** Pending orders that nobody paid are cancelled, and their stock is free again. Run by the cron. */
import type { Actor } from "../../kernel/actor";
import type { Database } from "../../platform/database";
import type { Outbox } from "../../platform/outbox";
import type { Scope } from "../../platform/scope";
import type { ProductRepository } from "./products/repository";
import { type OrderRepository, toOrders } from "./repository";
import { transition } from "./transition";

/** Five statements an order: a step stays near a hundred. */
const STEP_MAX = 20;
/** 100 orders a tick, 500 of the 1000 queries that an invocation has: the rest waits for the next tick. */
const STEPS_MAX = 5;

const EXPIRY: Actor = { kind: "system", name: "order-expiry" };

interface Dependencies {
  readonly database: Database;
  readonly repository: OrderRepository;
  readonly products: ProductRepository;
  readonly outbox: Outbox;
  readonly scope: Scope;
  /** `ORDER_PENDING_TTL_SECONDS` */
  readonly pendingTtlSeconds: number;
}

export class OrderExpiry {
  readonly #on: Dependencies;

  constructor(dependencies: Dependencies) {
    this.#on = dependencies;
  }

  /**
   * Oldest first, in bounded steps, each one batch. An order that is paid meanwhile is left alone, for each order's
   * statements are guarded on its own row. @returns how many orders were looked at
   */
  async run(): Promise<number> {
    let seen = 0;
    for (let step = 0; step < STEPS_MAX; step += 1) {
      const count = await this.#step();
      seen += count;
      if (count < STEP_MAX) break;
    }
    return seen;
  }

  async #step(): Promise<number> {
    const { database, repository, outbox, scope, pendingTtlSeconds } = this.#on;
    const cutoff = scope.clock() - pendingTtlSeconds * 1000;
    const expired = toOrders(
      ...(await database.read("primary", repository.selectExpired(cutoff, STEP_MAX))).rows,
    );
    const transitions = expired.map(({ order }) => transition(this.#on, order, "cancelled", EXPIRY));
    if (transitions.length === 0) return 0;
    outbox.relaySoon(await database.commit(transitions.flatMap(({ statements }) => statements)));
    return expired.length;
  }
}
