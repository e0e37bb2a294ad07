/** Builds the services of products and orders out of what they are given. */
import { lazily } from "../../kernel/lazily";
import type { ChangeTools } from "../../platform/change-plan";
import type { Config } from "../../platform/env";
import type { Keyset } from "../../platform/keyset";
import type { OrderExpiry } from "./expiry";
import { ProductRepository } from "./products/repository";
import { ProductService } from "./products/service";
import { OrderRepository } from "./repository";
import { OrderService } from "./service";

export interface OrdersFoundation extends ChangeTools {
  readonly config: Pick<Config, "ORDER_PENDING_TTL_SECONDS">;
  readonly keyset: Keyset;
}

export interface OrderServices {
  readonly orders: OrderService;
  readonly products: ProductService;
  /** Loads what cancels orders that were not paid in time. Only the cron needs it, so it is not part of the start. */
  readonly loadExpiry: () => Promise<OrderExpiry>;
}

/** Returns the services of products and orders. Each of them is made when it is first used. */
export const orderServices = lazily<{ on: OrdersFoundation }, OrderServices>({
  orders: ({ on }) => new OrderService(dependenciesOf(on)),
  products: ({ on: { database, outbox, audit, keyset, scope } }) =>
    new ProductService({
      ...{ database, outbox, audit, keyset, scope },
      repository: new ProductRepository(database),
    }),
  loadExpiry:
    ({ on }) =>
    async () => {
      const { OrderExpiry } = await import("./expiry");
      const pendingTtlSeconds = on.config.ORDER_PENDING_TTL_SECONDS;
      return new OrderExpiry({ ...dependenciesOf(on), pendingTtlSeconds });
    },
});

function dependenciesOf({ database, outbox, audit, keyset, scope }: OrdersFoundation) {
  return {
    ...{ database, outbox, audit, keyset, scope },
    repository: new OrderRepository(database),
    products: new ProductRepository(database),
  };
}
