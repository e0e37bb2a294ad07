/**
 * One set a request. What the nodes of one level ask for is collected and read by one call, so the number of D1 statements
 * follows from how deep a query goes, not from how many nodes it meets.
 */
import DataLoader from "dataloader";
import type { Page } from "../../kernel/cursor";
import type { Outcome } from "../../kernel/errors";
import type { ListOrdersQuery, Order, Product } from "../../services/orders";
import type { User } from "../../services/users";
import type { RequestCall } from "../request-call";

export class Loaders {
  readonly #call: RequestCall;
  readonly #ordersOf = new Map<string, DataLoader<string, Outcome<Page<Order>>>>();

  constructor(call: RequestCall) {
    this.#call = call;
  }

  readonly users = new DataLoader<string, Outcome<User>>(
    async (ids) => await this.#call.services.users.getMany(this.#call.actor, ids),
  );

  /** Null for a product that is gone: orders outlive what was bought. */
  readonly products = new DataLoader<string, Product | null>(async (ids) => {
    const products = await this.#call.services.products.getMany(ids);
    const byId = new Map(products.map((product) => [product.id, product]));
    return ids.map((id) => byId.get(id) ?? null);
  });

  /** The first page of a user's orders, with that of every user of whom the same is asked. */
  ordersOf(userId: string, query: ListOrdersQuery): Promise<Outcome<Page<Order>>> {
    const key = JSON.stringify(query);
    const known = this.#ordersOf.get(key);
    if (known !== undefined) return known.load(userId);
    const loader = new DataLoader<string, Outcome<Page<Order>>>(
      async (ids) => await this.#call.services.orders.listOfUsers(this.#call.actor, ids, query),
    );
    this.#ordersOf.set(key, loader);
    return loader.load(userId);
  }
}
