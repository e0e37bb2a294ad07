/** Orders as messages. Amounts are 64-bit there: JSON clients get them as text, as protobuf's JSON does. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Order, OrderStatus } from "../../services/orders";
import { type OrderSchema, OrderStatus as StatusMessage } from "./gen/orders/v1/order_pb";
import { timestampMessage, withoutNull } from "./user-message";

const STATUS_MESSAGES: Readonly<Record<OrderStatus, StatusMessage>> = {
  pending: StatusMessage.PENDING,
  paid: StatusMessage.PAID,
  shipped: StatusMessage.SHIPPED,
  delivered: StatusMessage.DELIVERED,
  cancelled: StatusMessage.CANCELLED,
  refunded: StatusMessage.REFUNDED,
};

/** Undefined for `ORDER_STATUS_UNSPECIFIED`; what is no status here goes on to the schema, which refuses it. */
export function statusOf(message: StatusMessage | undefined): string | undefined {
  if (message === undefined || message === StatusMessage.UNSPECIFIED) return undefined;
  return StatusMessage[message]?.toLowerCase() ?? "unknown";
}

export function orderMessage(order: Order): MessageInitShape<typeof OrderSchema> {
  return {
    id: order.id,
    ...withoutNull({ userId: order.userId }),
    status: STATUS_MESSAGES[order.status],
    currency: order.currency,
    totalMinor: BigInt(order.totalMinor),
    items: order.items.map((item) => ({
      ...item,
      unitPriceMinor: BigInt(item.unitPriceMinor),
      lineTotalMinor: BigInt(item.lineTotalMinor),
    })),
    version: order.version,
    createdAt: timestampMessage(order.createdAt),
    updatedAt: timestampMessage(order.updatedAt),
  };
}
