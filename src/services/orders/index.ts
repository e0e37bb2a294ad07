/** The orders service: products, and orders from placing to delivery. */
export { orderEvents } from "./events";
export type { OrderExpiry } from "./expiry";
export { type OrderServices, orderServices } from "./factory";
export { ORDER_STATUSES, type OrderStatus } from "./order-status";
export {
  createProductSchema,
  listProductsSchema,
  type Product,
  patchProductSchema,
  productSchema,
} from "./products/schemas";
export type { ProductService } from "./products/service";
export {
  changeOrderStatusSchema,
  type ListOrdersQuery,
  listOrdersSchema,
  type Order,
  type OrderItem,
  orderEventData,
  orderHistoryEntrySchema,
  orderItemSchema,
  orderSchema,
  placeOrderSchema,
} from "./schemas";
export type { OrderService } from "./service";
