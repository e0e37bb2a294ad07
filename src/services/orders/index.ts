/** The orders service: products, and orders from placing to delivery. */
export { type OrderEventType, orderEvents } from "./events";
export type { OrderExpiry } from "./expiry";
export { ORDER_STATUSES, type OrderStatus } from "./order-status";
export { ProductRepository } from "./products/repository";
export {
  createProductSchema,
  listProductsSchema,
  type Product,
  patchProductSchema,
  productSchema,
} from "./products/schemas";
export { ProductService } from "./products/service";
export { OrderRepository } from "./repository";
export {
  changeOrderStatusSchema,
  type ListOrdersQuery,
  listOrdersSchema,
  type Order,
  type OrderHistoryEntry,
  type OrderItem,
  orderEventData,
  orderHistoryEntrySchema,
  orderItemSchema,
  orderSchema,
  placeOrderSchema,
} from "./schemas";
export { OrderService } from "./service";

/** Loads what cancels orders that were not paid in time. Only the cron needs it, so it is not part of the start. */
export const loadExpiry = () => import("./expiry");
