/** The orders in D1. Reads return models; writes return statements, which the service commits in one batch. */
import { and, asc, desc, eq, gt, inArray, lt, lte, type SQL, sql } from "drizzle-orm";
import { orderHistory, orderLines, orders } from "../../../drizzle/schema/orders";
import { type Actor, actorLabel } from "../../kernel/actor";
import { toTimestamp } from "../../kernel/clock";
import type { CursorPosition } from "../../kernel/cursor";
import { multiplyMinor } from "../../kernel/money";
import type { Database, Statement } from "../../platform/database";
import { boundedColumn } from "../../platform/keyset";
import { type Mark, MarkedTable, type PendingMark } from "../../platform/mark";
import type { ListOrdersQuery, Order, OrderHistoryEntry } from "./schemas";

type OrderRow = typeof orders.$inferSelect;
type LineRow = typeof orderLines.$inferSelect;

export const ORDERS = new MarkedTable(orders);

/** An order as it was read. */
export interface StoredOrder {
  readonly order: Order;
  readonly lastChangeId: string;
}

export class OrderRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The order and its lines, for a batch; `toOrders` joins the answers. */
  selectById(id: string) {
    const { build } = this.#database;
    return [
      build.select().from(orders).where(eq(orders.id, id)).limit(1),
      build.select().from(orderLines).where(eq(orderLines.orderId, id)).orderBy(asc(orderLines.position)),
    ] as const;
  }

  /** Newest first, one order more than asked for, and the lines of them all in one statement. */
  selectPage(query: ListOrdersQuery, after: CursorPosition | null) {
    return this.#selectWith(
      and(
        query.userId === undefined ? undefined : eq(orders.userId, query.userId),
        query.status === undefined ? undefined : eq(orders.status, query.status),
        query.createdAfter === undefined ? undefined : gt(orders.createdAt, query.createdAfter),
        query.createdBefore === undefined
          ? undefined
          : lt(boundedColumn(orders.createdAt, after !== null), query.createdBefore),
        after === null ? undefined : sql`(${orders.createdAt}, ${orders.id}) < (${after.key}, ${after.id})`,
      ),
      [desc(orders.createdAt), desc(orders.id)],
      query.limit + 1,
    );
  }

  /**
   * Newest first, of each of these users as many as `selectPage` without a cursor would give. Each user's are a range of
   * the index, so that the rows read are those asked for, however many orders a user has.
   */
  selectFirstPages(userIds: readonly string[], query: ListOrdersQuery) {
    const { build } = this.#database;
    const ids = sql`(select o.id from json_each(${JSON.stringify(userIds)}) listed cross join ${orders} o where o.id in (
      select p.id from ${orders} p where p.user_id = listed.value and ${and(
        query.status === undefined ? sql`true` : sql`p.status = ${query.status}`,
        query.createdAfter === undefined ? undefined : sql`p.created_at > ${query.createdAfter}`,
        query.createdBefore === undefined ? undefined : sql`p.created_at < ${query.createdBefore}`,
      )} order by p.created_at desc, p.id desc limit ${query.limit + 1}))`;
    return [
      build
        .select()
        .from(orders)
        .where(sql`${orders.id} in ${ids}`)
        .orderBy(desc(orders.createdAt), desc(orders.id)),
      build
        .select()
        .from(orderLines)
        .where(sql`${orderLines.orderId} in ${ids}`)
        .orderBy(asc(orderLines.orderId), asc(orderLines.position)),
    ] as const;
  }

  /** Pending orders placed at `cutoff` or before, oldest first. */
  selectExpired(cutoff: number, limit: number) {
    return this.#selectWith(
      and(eq(orders.status, "pending"), lte(orders.createdAt, cutoff)),
      [asc(orders.createdAt), asc(orders.id)],
      limit,
    );
  }

  #selectWith(where: SQL | undefined, ordering: readonly SQL[], limit: number) {
    const { build } = this.#database;
    const ids = build
      .select({ id: orders.id })
      .from(orders)
      .where(where)
      .orderBy(...ordering)
      .limit(limit);
    return [
      build
        .select()
        .from(orders)
        .where(where)
        .orderBy(...ordering)
        .limit(limit),
      build
        .select()
        .from(orderLines)
        .where(inArray(orderLines.orderId, ids))
        .orderBy(asc(orderLines.orderId), asc(orderLines.position)),
    ] as const;
  }

  selectHistory(id: string) {
    return this.#database.build
      .select()
      .from(orderHistory)
      .where(eq(orderHistory.orderId, id))
      .orderBy(asc(orderHistory.version));
  }

  /** The order and its lines, only where the guard holds when the batch runs. Few parameters, however many lines. */
  insert(order: Order, mark: Mark, actor: Actor, guard: SQL): Statement[] {
    const { build } = this.#database;
    const { id, userId, status, currency, totalMinor, version, items } = order;
    const lines = JSON.stringify(items);
    return [
      build
        .insert(orders)
        .select(
          sql`select ${id}, ${userId}, ${status}, ${currency}, ${totalMinor}, ${version}, ${mark.changeId}, ${mark.at}, ${mark.at} where ${guard}`,
        ),
      build
        .insert(orderLines)
        .select(
          sql`select ${id}, key, value ->> 'productId', value ->> 'sku', value ->> 'name', value ->> 'unitPriceMinor', value ->> 'quantity' from json_each(${lines}) where ${ORDERS.isMarkedBy(mark)}`,
        ),
      this.#remember(order, mark, actor),
    ];
  }

  /** Moves the order on, while it is as it was read. @param next as it is to be, one version on */
  update(next: Order, mark: PendingMark, actor: Actor): Statement[] {
    return [
      this.#database.build
        .update(orders)
        .set({ status: next.status, version: next.version, updatedAt: mark.at, lastChangeId: mark.changeId })
        .where(ORDERS.isStill(mark)),
      this.#remember(next, mark, actor),
    ];
  }

  #remember({ id, version, status }: Order, mark: Mark, actor: Actor): Statement {
    return this.#database.build
      .insert(orderHistory)
      .select(
        sql`select ${id}, ${version}, ${status}, ${mark.at}, ${actorLabel(actor)} where ${ORDERS.isMarkedBy(mark)}`,
      );
  }

  /** Takes the person out of every order and history row; amounts, products and dates stay. */
  forgetUser(userId: string, { changeId, at }: Pick<Mark, "changeId" | "at">): [Statement, Statement] {
    const { build } = this.#database;
    return [
      build
        .update(orders)
        .set({ userId: null, version: sql`${orders.version} + 1`, updatedAt: at, lastChangeId: changeId })
        .where(eq(orders.userId, userId)),
      build
        .update(orderHistory)
        .set({ actor: "user:deleted" })
        .where(eq(orderHistory.actor, `user:${userId}`)),
    ];
  }
}

/** Joins rows and lines of one batch, in the order of the rows. */
export function toOrders(rows: readonly OrderRow[], lines: readonly LineRow[]): StoredOrder[] {
  const linesOf = Map.groupBy(lines, ({ orderId }) => orderId);
  return rows.map((row) => ({
    lastChangeId: row.lastChangeId,
    order: {
      id: row.id,
      userId: row.userId,
      status: row.status,
      currency: row.currency,
      totalMinor: row.totalMinor,
      items: (linesOf.get(row.id) ?? []).map(({ productId, sku, name, unitPriceMinor, quantity }) => ({
        productId,
        sku,
        name,
        unitPriceMinor,
        quantity,
        lineTotalMinor: multiplyMinor(unitPriceMinor, quantity),
      })),
      version: row.version,
      createdAt: toTimestamp(row.createdAt),
      updatedAt: toTimestamp(row.updatedAt),
    },
  }));
}

export function toHistoryEntry(row: typeof orderHistory.$inferSelect): OrderHistoryEntry {
  return { status: row.status, at: toTimestamp(row.at), actor: row.actor };
}
