/**
 * One set a request. What the nodes of one level need is collected and read by one call, so the number of D1 statements
 * follows from how deep a query goes, not from how many nodes it meets.
 */
import DataLoader from "dataloader";
import type { Page } from "../../kernel/cursor";
import type { Outcome } from "../../kernel/errors";
import type { ListOrdersQuery, Order, Product } from "../../services/orders";
import type { User } from "../../services/users";
import type { RequestCall } from "../request-call";
import { runBatch } from "../run-use-case";

export class Loaders {
  readonly #call: RequestCall;
  readonly #ordersOf = new Map<string, DataLoader<string, Outcome<Page<Order>>>>();

  constructor(call: RequestCall) {
    this.#call = call;
  }

  readonly users = new DataLoader<string, Outcome<User>>((ids) =>
    runBatch(this.#call, "users.get", ids, null),
  );

  readonly products = new DataLoader<string, Outcome<Product>>((ids) =>
    runBatch(this.#call, "products.get", ids, null),
  );

  /** The first page of a user's orders, read together with that of every user whose query is the same. */
  ordersOf(userId: string, query: ListOrdersQuery): Promise<Outcome<Page<Order>>> {
    const key = JSON.stringify(query);
    const known = this.#ordersOf.get(key);
    if (known !== undefined) return known.load(userId);
    const loader = new DataLoader<string, Outcome<Page<Order>>>((ids) =>
      runBatch(this.#call, "orders.list", ids, query),
    );
    this.#ordersOf.set(key, loader);
    return loader.load(userId);
  }
}
