/** Products: the type and its list. */
import { listProductsSchema, type Product } from "../../../services/orders";
import { granted } from "../call-context";
import { PAGE_SIZE_DEFAULT } from "../page-size";
import { listQuery, pageOf } from "../paging";
import { idOf } from "./arguments";
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
    resolve: async (_root, args, { call }) => granted(await call.services.products.get(idOf(args))),
  }),
  products: t.field({
    type: ProductConnection,
    description: "Newest first.",
    args: { first: t.arg.int({ defaultValue: PAGE_SIZE_DEFAULT }), after: t.arg.string() },
    resolve: async (_root, args, { call }) => {
      const query = listQuery(listProductsSchema, args);
      const { products } = call.services;
      return {
        page: pageOf(await products.list(query)),
        hasPreviousPage: query.cursor !== undefined,
        cursorOf: (product: Product) => products.cursorOf(query, product),
      };
    },
  }),
}));
