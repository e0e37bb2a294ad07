/** What an actor may see of orders, and make of one: pure. */
import { type Actor, isAdmin } from "../../kernel/actor";
import { isSatisfied, type Precondition } from "../../kernel/entity-tag";
import { done, type Outcome, refuse, refuseNotFound, refuseStale } from "../../kernel/errors";
import { authorize } from "../../kernel/permissions";
import { isOwnersTransition, isSettableByOwner, isTransition, type OrderStatus } from "./order-status";
import type { StoredOrder } from "./repository";
import type { Order } from "./schemas";

/** @param userId whose orders; undefined for everybody's. **Errors**: `unauthenticated`, `forbidden`. */
export function mayList(actor: Actor, userId: string | undefined): Outcome<null> {
  const isOwn = actor.kind === "user" && actor.userId === userId;
  return authorize(actor, isOwn ? "order.list" : "order.list_all");
}

/** "Not yours" and "not there" are answered alike. **Errors**: `unauthenticated`, `not_found`. */
export function visibleTo(actor: Actor, stored: StoredOrder | null): Outcome<Order> {
  const permitted = authorize(actor, "order.read", stored?.order.userId ?? null);
  if (!permitted.ok) return permitted;
  return stored === null ? refuseNotFound() : done(stored.order);
}

/** Whether it may set the status at all, wherever the order stands. **Errors**: as `visibleTo`, `forbidden`. */
export function mayChange(actor: Actor, stored: StoredOrder | null, to: OrderStatus): Outcome<null> {
  const visible = visibleTo(actor, stored);
  if (!visible.ok) return visible;
  return isSettableByOwner(to)
    ? authorize(actor, "order.cancel", visible.value.userId)
    : authorize(actor, "order.change_status");
}

/** The order as it may be moved from. **Errors**: as `visibleTo`, `precondition_failed`, `invalid_transition`. */
export function decide(
  actor: Actor,
  stored: StoredOrder | null,
  { status, precondition }: { readonly status: OrderStatus; readonly precondition: Precondition },
): Outcome<Order> {
  const visible = visibleTo(actor, stored);
  if (!visible.ok) return visible;
  const order = visible.value;
  if (!isSatisfied(precondition, order.version)) return refuseStale("order");
  const isAllowed = isAdmin(actor)
    ? isTransition(order.status, status)
    : isOwnersTransition(order.status, status);
  if (isAllowed) return done(order);
  return refuse("invalid_transition", `An order that is ${order.status} does not become ${status} by this.`);
}
