/** Products: the type and its list. */
import type { Product } from "../../../services/orders";
import { resolveBy } from "../call-context";
import { PAGE_SIZE_DEFAULT } from "../page-size";
import { listPage, listQuery } from "../paging";
import { builder } from "./builder";
import { connectionOf } from "./connections";

export const ProductRef = builder.objectRef<Product>("Product").implement({
  fields: (t) => ({
    id: t.exposeID("id"),
    sku: t.exposeString("sku"),
    name: t.exposeString("name"),
    priceMinor: t.expose("priceMinor", { type: "MinorUnits" }),
    currency: t.exposeString("currency"),
    stock: t.exposeInt("stock"),
    version: t.exposeInt("version"),
    createdAt: t.expose("createdAt", { type: "DateTime" }),
    updatedAt: t.expose("updatedAt", { type: "DateTime" }),
  }),
});

const ProductConnection = connectionOf("Product", ProductRef);

builder.queryFields((t) => ({
  product: t.field({
    type: ProductRef,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, context, info) => await resolveBy(context, info, "products.get", { id }),
  }),
  products: t.field({
    type: ProductConnection,
    description: "Newest first.",
    args: { first: t.arg.int({ defaultValue: PAGE_SIZE_DEFAULT }), after: t.arg.string() },
    resolve: async (_root, page, { call }) =>
      await listPage(call, "products.list", listQuery(call, "products.list", page)),
  }),
}));
