/** `orders.v1.OrderService`: translate in, call one use case, translate out. */
import type { ServiceImpl } from "@connectrpc/connect";
import { expectVersion } from "../../kernel/entity-tag";
import {
  changeOrderStatusSchema,
  listOrdersSchema,
  type Order,
  placeOrderSchema,
} from "../../services/orders";
import { present, readId, readInput, readTarget } from "../input";
import type { OrderService } from "./gen/orders/v1/order_service_pb";
import { orderMessage, statusOf } from "./order-message";
import { inPageWords, instant, PAGE_NAMES, pageQuery } from "./page-request";
import { callOf, granted, unsafe } from "./rpc-call";
import { watchOrder } from "./watch-order";

export const orderService: ServiceImpl<typeof OrderService> = {
  async placeOrder({ items }, context) {
    const call = callOf(context);
    const given = { items: items.map(({ productId, quantity }) => ({ productId, quantity })) };
    const input = granted(readInput(placeOrderSchema, given), call);
    const order = await unsafe<Order>(context, input, (attempt) =>
      call.services.orders.place(call.actor, input, attempt),
    );
    return { order: orderMessage(order) };
  },

  async getOrder({ id: given }, context) {
    const call = callOf(context);
    const id = granted(readId(given), call);
    return { order: orderMessage(granted(await call.services.orders.get(call.actor, id), call)) };
  },

  async listOrders({ status, userId, createdAfter, createdBefore, ...page }, context) {
    const call = callOf(context);
    const filters = {
      ...{ status: statusOf(status), userId },
      ...{ createdAfter: instant(createdAfter), createdBefore: instant(createdBefore) },
    };
    const query = granted(readInput(listOrdersSchema, pageQuery(page, filters), PAGE_NAMES), call);
    const { data, nextCursor } = granted(
      inPageWords(await call.services.orders.list(call.actor, query)),
      call,
    );
    return { orders: data.map(orderMessage), nextPageToken: nextCursor ?? "" };
  },

  async changeOrderStatus(request, context) {
    const call = callOf(context);
    const { id, expectedVersion } = granted(readTarget(request), call);
    const given = present({ status: statusOf(request.status) });
    const { status } = granted(readInput(changeOrderStatusSchema, given), call);
    const change = { id, status, precondition: expectVersion(expectedVersion) };
    const order = await unsafe<Order>(context, { id, expectedVersion, status }, (attempt) =>
      call.services.orders.changeStatus(call.actor, change, attempt),
    );
    return { order: orderMessage(order) };
  },

  async *watchOrder({ id: given }, context) {
    const call = callOf(context);
    const id = granted(readId(given), call);
    for await (const outcome of watchOrder(call, id, context.signal))
      yield { order: orderMessage(granted(outcome, call)) };
  },
};
