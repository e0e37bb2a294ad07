/** Orders: the type, its lists, and the changes to it. */
import type { Outcome } from "../../../kernel/errors";
import type { ListOrdersQuery, Order, OrderItem } from "../../../services/orders";
import { inOwnWords } from "../../run-use-case";
import { fieldValue, type GraphqlContext, resolveBy } from "../call-context";
import { PAGE_SIZE_DEFAULT } from "../page-size";
import { connectionOver, listPage, listQuery } from "../paging";
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
      resolve: async ({ productId }, _args, { loaders }) =>
        foundOrNull(await loaders.products.load(productId)),
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
  return foundOrNull(await loaders.users.load(userId));
}

/** Orders outlive what was bought, and who bought it. */
function foundOrNull<T>(outcome: Outcome<T>): T | null {
  return !outcome.ok && outcome.refusal.code === "not_found" ? null : fieldValue(outcome);
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
      const query = listQuery(call, "orders.list", page, { ...filter, userId: user.id });
      // A cursor is one user's: only there does a page after it begin.
      if (query.cursor !== undefined) return await listPage(call, "orders.list", query);
      const outcome = await loaders.ordersOf(user.id, withoutUser(query));
      return connectionOver(call, "orders.list", query, fieldValue(inOwnWords(call, outcome)));
    },
  }),
);

builder.queryFields((t) => ({
  order: t.field({
    type: OrderRef,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, context, info) => await resolveBy(context, info, "orders.get", { id }),
  }),
  orders: t.field({
    type: OrderConnection,
    description: "The caller's own, newest first; an administrator's without `userId` are everybody's.",
    args: {
      first: t.arg.int({ defaultValue: PAGE_SIZE_DEFAULT }),
      after: t.arg.string(),
      filter: t.arg({ type: OrderFilter }),
    },
    resolve: async (_root, { filter, ...page }, { call }) =>
      await listPage(call, "orders.list", listQuery(call, "orders.list", page, { ...filter })),
  }),
}));

builder.mutationFields((t) => ({
  placeOrder: t.field({
    type: OrderRef,
    args: { input: t.arg({ type: PlaceOrderInput, required: true }) },
    resolve: async (_root, { input }, context, info) =>
      await resolveBy(context, info, "orders.place", { input }),
  }),
  changeOrderStatus: t.field({
    type: OrderRef,
    args: {
      id: t.arg.id({ required: true }),
      status: t.arg({ type: OrderStatusEnum, required: true }),
      expectedVersion: t.arg.int(),
    },
    resolve: async (_root, { status, ...target }, context, info) =>
      await resolveBy(context, info, "orders.changeStatus", { ...target, input: { status } }),
  }),
}));

/** What users of one level have in common, so that their lists are read together. */
function withoutUser({ userId: _, ...query }: ListOrdersQuery): ListOrdersQuery {
  return query;
}
