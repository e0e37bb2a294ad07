/** Pending orders that nobody paid are cancelled, and their stock is free again. Run by the cron. */
import type { Actor } from "../../kernel/actor";
import type { Database, Statement } from "../../platform/database";
import { inSteps } from "../../platform/in-steps";
import { newMark } from "../../platform/mark";
import type { Outbox } from "../../platform/outbox";
import type { Scope } from "../../platform/scope";
import { orderEvent } from "./events";
import type { ProductRepository } from "./products/repository";
import { ORDERS, type OrderRepository, type StoredOrder, toOrders } from "./repository";
import { transition } from "./transition";

/** Five statements an order: a step stays near a hundred, and a tick at 500 of the 1000 queries that an invocation has. */
const BOUND = { rows: 20, steps: 5 };

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
    return await inSteps(BOUND, (rowsMax) => this.#step(rowsMax));
  }

  async #step(rowsMax: number): Promise<number> {
    const { database, repository, outbox, scope, pendingTtlSeconds } = this.#on;
    const cutoff = scope.clock() - pendingTtlSeconds * 1000;
    const expired = toOrders(
      ...(await database.read("primary", repository.selectExpired(cutoff, rowsMax))).rows,
    );
    if (expired.length === 0) return 0;
    outbox.relaySoon(await database.commit(expired.flatMap((stored) => this.#cancel(stored))));
    return expired.length;
  }

  #cancel({ order, lastChangeId }: StoredOrder): Statement[] {
    const { outbox, scope } = this.#on;
    const mark = { ...newMark(scope, order.id), was: lastChangeId };
    const { next, writes } = transition(this.#on, order, "cancelled", EXPIRY, mark);
    const guarded = { guard: ORDERS.isMarked, values: ORDERS.valuesOf(mark) };
    return [...writes, ...outbox.record({ ...orderEvent(next), id: mark.changeId, ...guarded })];
  }
}
