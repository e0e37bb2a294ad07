/** What an order's entering a status writes: everything in one batch, guarded on the order's own row. */

import type { Actor } from "../../kernel/actor";
import { actorLabel } from "../../kernel/actor";
import { toTimestamp } from "../../kernel/clock";
import type { Statement } from "../../platform/database";
import type { Outbox } from "../../platform/outbox";
import type { Scope } from "../../platform/scope";
import { eventDataOf, eventTypeOf, ORDERS_SOURCE, orderEvents } from "./events";
import type { Order } from "./model";
import { type OrderStatus, returnsStock } from "./order-status";
import type { ProductRepository } from "./products/repository";
import { type OrderRepository, orderChangedBy, type Step } from "./repository";

interface Writers {
  readonly repository: OrderRepository;
  readonly products: ProductRepository;
  readonly outbox: Outbox;
  readonly scope: Scope;
}

export interface Transition {
  readonly step: Step;
  /** The order as it will be. */
  readonly next: Order;
  readonly statements: readonly Statement[];
}

export function newStep(scope: Scope, actor: Actor): Step {
  return { eventId: scope.newId(), at: scope.clock(), actor: actorLabel(actor) };
}

/** The event of the step that made the order what it is. */
export function recordEvent(outbox: Outbox, order: Order, step: Step): Statement[] {
  const type = eventTypeOf(order.status);
  return outbox.record({
    id: step.eventId,
    type,
    source: ORDERS_SOURCE,
    subject: order.id,
    version: orderEvents[type].version,
    data: eventDataOf(order),
    guard: orderChangedBy(order.id, step),
  });
}

/** Status, history, event and, when it is cancelled, the stock. None of it when the order is not as it was read. */
export function transition(on: Writers, order: Order, to: OrderStatus, actor: Actor): Transition {
  const { repository, products, outbox, scope } = on;
  const step = newStep(scope, actor);
  const next = { ...order, status: to, version: order.version + 1, updatedAt: toTimestamp(step.at) };
  const isChanged = orderChangedBy(order.id, step);
  return {
    step,
    next,
    statements: [
      ...repository.update(next, order.status, step),
      ...(returnsStock(to) ? [products.returnStock(order.items, step.at, isChanged)] : []),
      ...recordEvent(outbox, next, step),
    ],
  };
}
