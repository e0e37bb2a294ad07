/** `orders.v1.OrderService`: translate in, call one use case, translate out. */
import type { ServiceImpl } from "@connectrpc/connect";
import { present } from "../input";
import { streamUseCase } from "../run-use-case";
import type { OrderService } from "./gen/orders/v1/order_service_pb";
import { orderMessage, statusOf } from "./order-message";
import { instant, pageQuery } from "./page-request";
import { answerBy, callOf, messageValue } from "./rpc-call";

export const orderService: ServiceImpl<typeof OrderService> = {
  async placeOrder({ items }, context) {
    const input = { items: items.map(({ productId, quantity }) => ({ productId, quantity })) };
    return { order: orderMessage(await answerBy(context, "orders.place", { input })) };
  },

  async getOrder({ id }, context) {
    return { order: orderMessage(await answerBy(context, "orders.get", { id })) };
  },

  async listOrders({ status, userId, createdAfter, createdBefore, ...page }, context) {
    const input = pageQuery(page, {
      ...{ status: statusOf(status), userId },
      ...{ createdAfter: instant(createdAfter), createdBefore: instant(createdBefore) },
    });
    const { data, nextCursor } = await answerBy(context, "orders.list", { input });
    return { orders: data.map(orderMessage), nextPageToken: nextCursor ?? "" };
  },

  async changeOrderStatus({ id, expectedVersion, status }, context) {
    const input = present({ status: statusOf(status) });
    const order = await answerBy(context, "orders.changeStatus", { id, expectedVersion, input });
    return { order: orderMessage(order) };
  },

  async *watchOrder({ id }, context) {
    const call = callOf(context);
    for await (const outcome of streamUseCase(call, "orders.watch", { id }, context.signal))
      yield { order: orderMessage(messageValue(outcome, call)) };
  },
};
