/** Orders: the type, its lists, and the changes to it. */
import type { Page } from "../../../kernel/cursor";
import { expectVersion } from "../../../kernel/entity-tag";
import {
  changeOrderStatusSchema,
  type ListOrdersQuery,
  listOrdersSchema,
  type Order,
  type OrderItem,
  placeOrderSchema,
} from "../../../services/orders";
import { readInput } from "../../input";
import type { RequestCall } from "../../request-call";
import { type GraphqlContext, granted, mutate } from "../call-context";
import { PAGE_SIZE_DEFAULT } from "../page-size";
import { listQuery, pageOf } from "../paging";
import { idOf, placeOf, targetOf } from "./arguments";
import { builder, OrderStatusEnum } from "./builder";
import { connectionOf } from "./connections";
import { ProductRef } from "./products";
import { UserRef } from "./users";

const OrderItemRef = builder.objectRef<OrderItem>("OrderItem").implement({
  description: "What was bought, at the price of the moment.",
  fields: (t) => ({
    productId: t.exposeID("productId"),
    sku: t.exposeString("sku"),
    name: t.exposeString("name"),
    unitPriceMinor: t.expose("unitPriceMinor", { type: "MinorUnits" }),
    quantity: t.exposeInt("quantity"),
    lineTotalMinor: t.expose("lineTotalMinor", { type: "MinorUnits" }),
    product: t.field({
      type: ProductRef,
      nullable: true,
      description: "The product as it is now; null when it is gone.",
      resolve: ({ productId }, _args, { loaders }) => loaders.products.load(productId),
    }),
  }),
});

const OrderRef = builder.objectRef<Order>("Order").implement({
  fields: (t) => ({
    id: t.exposeID("id"),
    userId: t.exposeID("userId", { nullable: true, description: "Null once the user is deleted." }),
    status: t.expose("status", { type: OrderStatusEnum }),
    currency: t.exposeString("currency"),
    totalMinor: t.expose("totalMinor", { type: "MinorUnits" }),
    items: t.field({ type: [OrderItemRef], resolve: ({ items }) => [...items] }),
    version: t.exposeInt("version"),
    createdAt: t.expose("createdAt", { type: "DateTime" }),
    updatedAt: t.expose("updatedAt", { type: "DateTime" }),
    user: t.field({ type: UserRef, nullable: true, resolve: ownerOf }),
  }),
});

/** A user that is being deleted may be gone before its orders have forgotten it. */
async function ownerOf({ userId }: Order, _args: object, { loaders }: GraphqlContext) {
  if (userId === null) return null;
  const outcome = await loaders.users.load(userId);
  return !outcome.ok && outcome.refusal.code === "not_found" ? null : granted(outcome);
}

const OrderConnection = connectionOf("Order", OrderRef);

const OrderFilter = builder.inputType("OrderFilter", {
  fields: (t) => ({
    status: t.field({ type: OrderStatusEnum }),
    userId: t.id({ description: "Another's only by administrators." }),
    createdAfter: t.field({ type: "DateTime" }),
    createdBefore: t.field({ type: "DateTime" }),
  }),
});

const PlaceOrderItemInput = builder.inputType("PlaceOrderItemInput", {
  fields: (t) => ({ productId: t.id({ required: true }), quantity: t.int({ required: true }) }),
});

const PlaceOrderInput = builder.inputType("PlaceOrderInput", {
  fields: (t) => ({ items: t.field({ type: [PlaceOrderItemInput], required: true }) }),
});

builder.objectField(UserRef, "orders", (t) =>
  t.field({
    type: OrderConnection,
    description: "Newest first.",
    args: {
      first: t.arg.int({ defaultValue: PAGE_SIZE_DEFAULT }),
      after: t.arg.string(),
      filter: t.arg({ type: OrderFilter }),
    },
    resolve: async (user, { filter, ...page }, { call, loaders }) => {
      const query = listQuery(listOrdersSchema, page, { ...filter, userId: user.id });
      // A cursor is one user's: only there does a page after it begin.
      const outcome =
        query.cursor === undefined
          ? await loaders.ordersOf(user.id, withoutUser(query))
          : await call.services.orders.list(call.actor, query);
      return connection(call, query, pageOf(outcome));
    },
  }),
);

builder.queryFields((t) => ({
  order: t.field({
    type: OrderRef,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, args, { call }) => granted(await call.services.orders.get(call.actor, idOf(args))),
  }),
  orders: t.field({
    type: OrderConnection,
    description: "The caller's own, newest first; an administrator's without `userId` are everybody's.",
    args: {
      first: t.arg.int({ defaultValue: PAGE_SIZE_DEFAULT }),
      after: t.arg.string(),
      filter: t.arg({ type: OrderFilter }),
    },
    resolve: async (_root, { filter, ...page }, { call }) => {
      const query = listQuery(listOrdersSchema, page, { ...filter });
      return connection(call, query, pageOf(await call.services.orders.list(call.actor, query)));
    },
  }),
}));

builder.mutationFields((t) => ({
  placeOrder: t.field({
    type: OrderRef,
    args: { input: t.arg({ type: PlaceOrderInput, required: true }) },
    resolve: async (_root, args, context, info) => {
      const input = granted(readInput(placeOrderSchema, args.input));
      return await mutate<Order>(context, { ...placeOf(info), input }, (attempt) =>
        context.call.services.orders.place(context.call.actor, input, attempt),
      );
    },
  }),
  changeOrderStatus: t.field({
    type: OrderRef,
    args: {
      id: t.arg.id({ required: true }),
      status: t.arg({ type: OrderStatusEnum, required: true }),
      expectedVersion: t.arg.int(),
    },
    resolve: async (_root, args, context, info) => {
      const { id, version } = targetOf(args);
      const { status } = granted(readInput(changeOrderStatusSchema, { status: args.status }));
      const change = { id, status, precondition: expectVersion(version) };
      return await mutate<Order>(context, { ...placeOf(info), input: { id, status, version } }, (attempt) =>
        context.call.services.orders.changeStatus(context.call.actor, change, attempt),
      );
    },
  }),
}));

function connection({ services, actor }: RequestCall, query: ListOrdersQuery, page: Page<Order>) {
  return {
    page,
    hasPreviousPage: query.cursor !== undefined,
    cursorOf: (order: Order) => services.orders.cursorOf(actor, query, order),
  };
}

/** What users of one level have in common, so that their lists are read together. */
function withoutUser({ userId: _, ...query }: ListOrdersQuery): ListOrdersQuery {
  return query;
}
