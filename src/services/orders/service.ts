/** The business of orders: placing, reading, moving on. One method is one use case. */
import type { Actor } from "../../kernel/actor";
import type { Page } from "../../kernel/cursor";
import type { Precondition } from "../../kernel/entity-tag";
import { done, type Outcome, refuse } from "../../kernel/errors";
import { authorize, isPermitted } from "../../kernel/permissions";
import type { AuditTrail } from "../../platform/audit";
import type { Database } from "../../platform/database";
import { type Attempt, unkeyed } from "../../platform/idempotency";
import { type Keyset, purposeOf } from "../../platform/keyset";
import type { Effect, Outbox } from "../../platform/outbox";
import type { Scope } from "../../platform/scope";
import { decide, mayChange, mayList, visibleTo } from "./decisions";
import { type Draft, draftOrder, newOrder, refuseOutOfStock, shortagesOf } from "./draft";
import type { Order, OrderHistoryEntry } from "./model";
import type { OrderStatus } from "./order-status";
import { areAvailable, type ProductRepository, toProduct } from "./products/repository";
import { type OrderRepository, orderChangedBy, toHistoryEntry, toOrders } from "./repository";
import type { ListOrdersQuery, PlaceOrderInput } from "./schemas";
import { newStep, recordEvent, transition } from "./transition";

interface Dependencies {
  readonly database: Database;
  readonly repository: OrderRepository;
  readonly products: ProductRepository;
  readonly outbox: Outbox;
  readonly audit: AuditTrail;
  readonly keyset: Keyset;
  readonly scope: Scope;
}

/** Another writer may move the order between the read and the commit: so often it is decided anew. */
const TRANSITION_ATTEMPTS_MAX = 3;

export class OrderService {
  readonly #on: Dependencies;

  constructor(dependencies: Dependencies) {
    this.#on = dependencies;
  }

  /**
   * Places an order at the prices of the database: order, lines, stock, history, event, audit row and the answer under
   * the key, all or none. Prices are those of the read, one consistent state of the database some milliseconds before
   * the commit; stock is decided by the commit itself.
   *
   * **Errors**: `unauthenticated`; `validation_failed` (unknown product, mixed currencies); `out_of_stock`, with what is
   * left of each product; those of the key. **Cost**: 2 D1 round trips, whatever the number of lines.
   */
  async place(
    actor: Actor,
    input: PlaceOrderInput,
    attempt: Attempt<Order> = unkeyed(),
  ): Promise<Outcome<Order>> {
    const { database, products } = this.#on;
    const permitted = authorize(actor, "order.place");
    if (!permitted.ok) return permitted;
    if (actor.kind !== "user") return refuse("forbidden", "An order is placed by the user whose it is.");

    const productIds = input.items.map(({ productId }) => productId);
    const { rows, ended } = await attempt.open(database, [products.selectByIds(productIds)]);
    if (ended !== null) return ended;
    const drafted = draftOrder(input.items, rows[0].map(toProduct));
    if (!drafted.ok) return drafted;
    return await this.#commitPlaced(actor, drafted.value, attempt);
  }

  async #commitPlaced(
    actor: Actor & { kind: "user" },
    draft: Draft,
    attempt: Attempt<Order>,
  ): Promise<Outcome<Order>> {
    const { database, repository, products, outbox, audit, scope } = this.#on;
    const step = newStep(scope, actor);
    const order = newOrder({ id: scope.newId(), userId: actor.userId, at: step.at }, draft);
    const isPlaced = orderChangedBy(order.id, step);
    const selectLeft = products.selectLeft(
      order.items.map(({ productId }) => productId),
      isPlaced,
    );
    const answer = await database.commit([
      ...repository.insert(order, step, areAvailable(order.items)),
      products.takeStock(order.items, step.at, isPlaced),
      ...recordEvent(outbox, order, step),
      audit.record({ actor, action: "order.place", subject: `order:${order.id}`, guard: isPlaced }),
      ...(await attempt.record(database, order, isPlaced)),
      ...attempt.release(database),
      selectLeft,
    ]);
    const left = answer.of(selectLeft);
    if (left.some(({ isHeld }) => isHeld)) {
      outbox.relaySoon(answer);
      return done(order);
    }
    // Sold out since the read: the same batch tells what is left now.
    return refuseOutOfStock(shortagesOf(order.items, left));
  }

  /** **Errors**: `unauthenticated`, `not_found`. **Cost**: 1 D1 round trip. */
  async get(actor: Actor, id: string): Promise<Outcome<Order>> {
    const { database, repository, keyset } = this.#on;
    const known = authorize(actor, "order.list");
    if (!known.ok) return known;
    const { rows } = await database.read(keyset.readFrom(), repository.selectById(id));
    return visibleTo(actor, toOrders(...rows)[0]);
  }

  /**
   * One's own orders, newest first; an administrator's without `userId` are everybody's.
   * **Errors**: `unauthenticated`; `forbidden` for another's; `validation_failed` (cursor).
   * **Cost**: 1 D1 round trip: the orders in one statement, their lines in another.
   */
  async list(actor: Actor, query: ListOrdersQuery): Promise<Outcome<Page<Order>>> {
    const { database, repository, keyset } = this.#on;
    const known = authorize(actor, "order.list");
    if (!known.ok) return known;
    const ownId = actor.kind === "user" ? actor.userId : undefined;
    const userId = query.userId ?? (isPermitted(actor, "order.list_all") ? undefined : ownId);
    const permitted = mayList(actor, userId);
    if (!permitted.ok) return permitted;
    const purpose = purposeOf("orders.list", actor, query);
    const position = await keyset.open(purpose, query.cursor);
    if (!position.ok) return position;
    const { rows } = await database.read(
      keyset.readFrom(position.value),
      repository.selectPage({ ...query, userId }, position.value),
    );
    const orders = toOrders(...rows).map(({ order }) => order);
    return done(await keyset.page(purpose, orders, query.limit, keyOf));
  }

  /**
   * The first page of each of several users' orders, as `list` with `userId` would answer for each.
   * **Cost**: 1 D1 round trip, two statements, whatever the number of users.
   */
  async listOfUsers(
    actor: Actor,
    userIds: readonly string[],
    query: ListOrdersQuery,
  ): Promise<readonly Outcome<Page<Order>>[]> {
    const { database, repository, keyset } = this.#on;
    const permitted = userIds.map((userId) => mayList(actor, userId));
    const listed = userIds.filter((_, index) => permitted[index]?.ok === true);
    const rows =
      listed.length === 0
        ? null
        : (await database.read(keyset.readFrom(), repository.selectFirstPages(listed, query))).rows;
    const orders = rows === null ? [] : toOrders(...rows).map(({ order }) => order);
    const ordersOf = Map.groupBy(orders, ({ userId }) => userId);
    return await Promise.all(
      userIds.map(async (userId, index) => {
        const decided = permitted[index];
        if (decided?.ok === false) return decided;
        const purpose = purposeOf("orders.list", actor, { ...query, userId });
        return done(await keyset.page(purpose, ordersOf.get(userId) ?? [], query.limit, keyOf));
      }),
    );
  }

  /** The cursor of an order in a list, with which the page after it begins. **Cost**: 1 HMAC. */
  async cursorOf(actor: Actor, query: ListOrdersQuery, order: Order): Promise<string> {
    return await this.#on.keyset.seal(purposeOf("orders.list", actor, query), {
      key: keyOf(order),
      id: order.id,
    });
  }

  /** Every status that the order entered, oldest first: six at most. **Errors and cost**: as `get`. */
  async history(actor: Actor, id: string): Promise<Outcome<Page<OrderHistoryEntry>>> {
    const { database, repository, keyset } = this.#on;
    const known = authorize(actor, "order.list");
    if (!known.ok) return known;
    const {
      rows: [rows, lines, entries],
    } = await database.read(keyset.readFrom(), [...repository.selectById(id), repository.selectHistory(id)]);
    const visible = visibleTo(actor, toOrders(rows, lines)[0]);
    return visible.ok ? done({ data: entries.map(toHistoryEntry), nextCursor: null }) : visible;
  }

  /**
   * Moves an order to a status: an owner cancels what is pending, an administrator does all that the table allows.
   *
   * **Errors**: `not_found`; `forbidden` for a status that is not the owner's to set; `precondition_failed`;
   * `invalid_transition`; those of the key. **Cost**: 2 D1 round trips, 1 more each time another writer was faster.
   */
  async changeStatus(
    actor: Actor,
    change: { readonly id: string; readonly status: OrderStatus; readonly precondition: Precondition },
    attempt: Attempt<Order> = unkeyed(),
  ): Promise<Outcome<Order>> {
    const { database, repository } = this.#on;
    const known = authorize(actor, "order.list");
    if (!known.ok) return known;
    const { rows, ended } = await attempt.open(database, repository.selectById(change.id));
    let stored = toOrders(...rows)[0];
    const permitted = mayChange(actor, stored, change.status);
    if (!permitted.ok) return permitted;
    if (ended !== null) return ended;
    for (let round = 1; round <= TRANSITION_ATTEMPTS_MAX; round += 1) {
      const decided = decide(actor, stored, change);
      if (!decided.ok) return decided;
      const { eventId, next, latest } = await this.#commitTransition(actor, decided.value, change, attempt);
      if (latest?.lastChangeId === eventId) return done(next);
      stored = latest;
    }
    return refuse("unavailable", "The order is being changed by others.", { retryAfterSeconds: 1 });
  }

  async #commitTransition(
    actor: Actor,
    order: Order,
    { status: to, precondition }: { readonly status: OrderStatus; readonly precondition: Precondition },
    attempt: Attempt<Order>,
  ) {
    const { database, repository, outbox, audit } = this.#on;
    const { step, next, statements } = transition(this.#on, order, to, actor);
    const isChanged = orderChangedBy(order.id, step);
    const [selectOrder] = repository.selectById(order.id);
    const details = { from: order.status, to };
    const answer = await database.commit([
      ...statements,
      audit.record({
        actor,
        action: "order.change_status",
        subject: `order:${order.id}`,
        details,
        guard: isChanged,
      }),
      ...(await attempt.record(database, next, isChanged)),
      // Under `If-Match` a race that was lost is decided by that.
      ...(precondition.kind === "versions" ? attempt.release(database) : []),
      selectOrder,
    ]);
    const [latest] = toOrders(answer.of(selectOrder), []);
    outbox.relaySoon(answer);
    // Lines never change: those that were read still hold.
    const stored = latest && { ...latest, order: { ...latest.order, items: order.items } };
    return { eventId: step.eventId, next, latest: stored };
  }

  /** The order as the primary has it; null when there is none. For consumers of events. **Cost**: 1 D1 round trip. */
  async find(id: string): Promise<Order | null> {
    const { database, repository } = this.#on;
    const { rows } = await database.read("primary", repository.selectById(id));
    return toOrders(...rows)[0]?.order ?? null;
  }

  /** Takes a deleted user out of the books, which keep the orders themselves. For the consumer of `user.deleted`. */
  forgetUser(userId: string): Effect {
    const { repository, scope } = this.#on;
    return { statements: repository.forgetUser(userId, scope.clock()) };
  }
}

function keyOf({ createdAt }: Order): number {
  return Date.parse(createdAt);
}
