/** The orders service: products, and orders from placing to delivery. */
export { type OrderEventType, orderEvents } from "./events";
export type { OrderExpiry } from "./expiry";
export type { Order, OrderHistoryEntry, OrderItem } from "./model";
export { ORDER_STATUSES, type OrderStatus } from "./order-status";
export type { Product } from "./products/model";
export { ProductRepository } from "./products/repository";
export {
  createProductSchema,
  listProductsSchema,
  patchProductSchema,
  productSchema,
} from "./products/schemas";
export { ProductService } from "./products/service";
export { OrderRepository } from "./repository";
export {
  changeOrderStatusSchema,
  type ListOrdersQuery,
  listOrdersSchema,
  orderEventData,
  orderHistoryEntrySchema,
  orderItemSchema,
  orderSchema,
  placeOrderSchema,
} from "./schemas";
export { OrderService } from "./service";

/** Loads what cancels orders that were not paid in time. Only the cron needs it, so it is not part of the start. */
export const loadExpiry = () => import("./expiry");
