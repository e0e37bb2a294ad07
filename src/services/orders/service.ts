/** The business of orders: placing, reading, moving on. One method is one use case. */

import type { Actor } from "../../kernel/actor";
import type { Page } from "../../kernel/cursor";
import { done, type Outcome, refuse } from "../../kernel/errors";
import { authorize, isPermitted } from "../../kernel/permissions";
import type { AuditTrail } from "../../platform/audit";
import type { Call } from "../../platform/call";
import { change } from "../../platform/change";
import type { Database } from "../../platform/database";
import type { CallKey } from "../../platform/idempotency";
import { type Keyset, purposeOf } from "../../platform/keyset";
import { newMark } from "../../platform/mark";
import type { Effect, Outbox } from "../../platform/outbox";
import type { Scope } from "../../platform/scope";
import { decide, mayChange, mayList, visibleTo } from "./decisions";
import { type Draft, draftOrder, newOrder, refuseOutOfStock, shortagesOf } from "./draft";
import { orderEvent } from "./events";
import { areAvailable, type ProductRepository, toProduct } from "./products/repository";
import { ORDERS, type OrderRepository, toHistoryEntry, toOrders } from "./repository";
import type {
  ChangeOrderStatusInput,
  ListOrdersQuery,
  Order,
  OrderHistoryEntry,
  PlaceOrderInput,
} from "./schemas";
import { transition } from "./transition";

interface Dependencies {
  readonly database: Database;
  readonly repository: OrderRepository;
  readonly products: ProductRepository;
  readonly outbox: Outbox;
  readonly audit: AuditTrail;
  readonly keyset: Keyset;
  readonly scope: Scope;
}

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
  async place(call: Call, input: PlaceOrderInput): Promise<Outcome<Order>> {
    const { actor } = call;
    const { database, products } = this.#on;
    const permitted = authorize(actor, "order.place");
    if (!permitted.ok) return permitted;
    if (actor.kind !== "user")
      return refuse("forbidden", "Only a user can place an order, and only for itself.");

    const productIds = input.items.map(({ productId }) => productId);
    const { rows, ended } = await call.key.open(database, [products.selectByIds(productIds)]);
    if (ended !== null) return ended;
    const drafted = draftOrder(input.items, rows[0].map(toProduct));
    if (!drafted.ok) return drafted;
    return await this.#commitPlaced(actor, drafted.value, call.key);
  }

  async #commitPlaced(actor: Actor & { kind: "user" }, draft: Draft, key: CallKey): Promise<Outcome<Order>> {
    const { database, repository, products, outbox, audit, scope } = this.#on;
    const mark = newMark(scope, scope.newId());
    const order = newOrder({ id: mark.id, userId: actor.userId, at: mark.at }, draft);
    const isPlaced = ORDERS.isMarkedBy(mark);
    const guarded = { guard: ORDERS.isMarked, values: ORDERS.valuesOf(mark) };
    const selectLeft = products.selectLeft(
      order.items.map(({ productId }) => productId),
      isPlaced,
    );
    const answer = await database.commit([
      ...repository.insert(order, mark, actor, areAvailable(order.items)),
      products.takeStock(order.items, mark.at, isPlaced),
      ...outbox.record({ ...orderEvent(order), id: mark.changeId, ...guarded }),
      audit.record({ actor, action: "order.place", subject: `order:${order.id}`, ...guarded }),
      ...(await key.record(database, order, isPlaced)),
      ...key.release(database),
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
  async get(call: Call, id: string): Promise<Outcome<Order>> {
    const { actor } = call;
    const { database, repository, keyset } = this.#on;
    const known = authorize(actor, "order.list");
    if (!known.ok) return known;
    const { rows } = await database.read(keyset.readFrom(), repository.selectById(id));
    return visibleTo(actor, toOrders(...rows)[0] ?? null);
  }

  /**
   * One's own orders, newest first; an administrator's without `userId` are everybody's.
   * **Errors**: `unauthenticated`; `forbidden` for another's; `validation_failed` (cursor).
   * **Cost**: 1 D1 round trip: the orders in one statement, their lines in another.
   */
  async list(call: Call, query: ListOrdersQuery): Promise<Outcome<Page<Order>>> {
    const { actor } = call;
    const { database, repository, keyset } = this.#on;
    const known = authorize(actor, "order.list");
    if (!known.ok) return known;
    const ownId = actor.kind === "user" ? actor.userId : undefined;
    const userId = query.userId ?? (isPermitted(actor, "order.list_all") ? undefined : ownId);
    const permitted = mayList(actor, userId);
    if (!permitted.ok) return permitted;
    return await keyset.list(
      purposeOf("orders.list", actor, query),
      query,
      async (after, from) => {
        const { rows } = await database.read(from, repository.selectPage({ ...query, userId }, after));
        return toOrders(...rows).map(({ order }) => order);
      },
      keyOf,
    );
  }

  /**
   * The first page of each of several users' orders, as `list` with `userId` would answer for each.
   * **Cost**: 1 D1 round trip, two statements, whatever the number of users.
   */
  async listOfUsers(
    call: Call,
    userIds: readonly string[],
    query: ListOrdersQuery,
  ): Promise<readonly Outcome<Page<Order>>[]> {
    const { actor } = call;
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
  async cursorOf(call: Call, query: ListOrdersQuery, order: Order): Promise<string> {
    const { actor } = call;
    return await this.#on.keyset.seal(purposeOf("orders.list", actor, query), {
      key: keyOf(order),
      id: order.id,
    });
  }

  /** Every status that the order entered, oldest first: six at most. **Errors and cost**: as `get`. */
  async history(call: Call, id: string): Promise<Outcome<Page<OrderHistoryEntry>>> {
    const { actor } = call;
    const { database, repository, keyset } = this.#on;
    const known = authorize(actor, "order.list");
    if (!known.ok) return known;
    const {
      rows: [rows, lines, entries],
    } = await database.read(keyset.readFrom(), [...repository.selectById(id), repository.selectHistory(id)]);
    const visible = visibleTo(actor, toOrders(rows, lines)[0] ?? null);
    return visible.ok ? done({ data: entries.map(toHistoryEntry), nextCursor: null }) : visible;
  }

  /**
   * Moves an order to a status: an owner cancels what is pending, an administrator does all that the table allows.
   *
   * **Errors**: `not_found`; `forbidden` for a status that is not the owner's to set; `precondition_failed`;
   * `invalid_transition`; those of the key. **Cost**: 2 D1 round trips, 1 more each time another change was faster.
   */
  async changeStatus(call: Call, id: string, { status }: ChangeOrderStatusInput): Promise<Outcome<Order>> {
    const { actor, precondition } = call;
    const known = authorize(actor, "order.list");
    if (!known.ok) return known;
    const [select, lines] = this.#on.repository.selectById(id);
    return await change(this.#on, call, {
      ...{ table: ORDERS, id, subject: `order:${id}`, action: "order.change_status", noun: "order" },
      select,
      // Lines never change, so they are read once.
      also: [lines],
      rowOf: (rows, also) => toOrders(rows, also?.[0] ?? [])[0] ?? null,
      permit: (stored) => mayChange(actor, stored, status),
      decide: (stored, mark) => {
        const decided = decide(actor, stored, { status, precondition });
        if (!decided.ok) return decided;
        const { next, writes } = transition(this.#on, decided.value, status, actor, mark);
        const details = { from: decided.value.status, to: status };
        return done({ writes, answer: next, events: [orderEvent(next)], details });
      },
    });
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
    return { statements: repository.forgetUser(userId, newMark(scope, userId)) };
  }
}

function keyOf({ createdAt }: Order): number {
  return Date.parse(createdAt);
}
