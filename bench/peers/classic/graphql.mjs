/** `/graphql`: the queries of Meridian's own schema, over graphql-http, with a DataLoader for each level. */
import { readFileSync } from "node:fs";
import DataLoader from "dataloader";
import { buildSchema, GraphQLError } from "graphql";
import { createHandler } from "graphql-http/lib/use/express";
import { findProducts, firstPagesOfOrders, pageOfProducts } from "./order-store.mjs";
import { cursors } from "./services.mjs";
import { findUser, findUsers, pageOfUsers } from "./user-store.mjs";

const PAGE_SIZE_DEFAULT = 20;
const SORTS = {
  CREATED_AT_ASC: "createdAt",
  CREATED_AT_DESC: "-createdAt",
  NAME_ASC: "name",
  NAME_DESC: "-name",
};

/** @param {import("./services.mjs").Services} services */
export function graphqlHandler(services) {
  return createHandler({
    schema: newSchema(services),
    context: (req) => ({ actor: req.raw.actor, loaders: newLoaders(services) }),
  });
}

/** Answers what Meridian's schema describes for users, their orders and the products of these. */
function newSchema(services) {
  const schema = buildSchema(readFileSync(new URL("../../../schema.graphql", import.meta.url), "utf8"));
  const resolve = (type, resolvers) => {
    const fields = schema.getType(type).getFields();
    for (const [name, resolver] of Object.entries(resolvers)) fields[name].resolve = resolver;
  };
  resolve("Query", {
    me: (_root, _args, { actor }) => (actor === null ? null : findUser(services, actor.id)),
    user: (_root, { id }, { actor, loaders }) => {
      if (actor?.id !== id && actor?.role !== "admin") throw refusal("not_found");
      return loaders.users.load(id);
    },
    users: async (_root, { first, after, sort }, { actor }) => {
      if (actor === null) throw refusal("unauthenticated");
      if (actor.role !== "admin") throw refusal("forbidden");
      const query = {
        limit: sizeOf(first),
        cursor: after ?? undefined,
        sort: SORTS[sort ?? "CREATED_AT_DESC"],
      };
      return connection(await pageOfUsers(services, query), after, query.sort.replace("-", ""));
    },
    products: async (_root, { first, after }) =>
      connection(await pageOfProducts(services, { limit: sizeOf(first), cursor: after ?? undefined }), after),
  });
  resolve("User", {
    role: ({ role }) => role.toUpperCase(),
    orders: async ({ id }, { first }, { loaders }) =>
      connection(await loaders.ordersOf(sizeOf(first)).load(id), null),
  });
  resolve("Order", { status: ({ status }) => status.toUpperCase() });
  resolve("OrderItem", { product: ({ productId }, _args, { loaders }) => loaders.products.load(productId) });
  return schema;
}

/** One set a request: what the nodes of a level ask for is read at once. */
function newLoaders(services) {
  const byId = async (ids, items) => {
    const found = new Map((await items).map((item) => [item.id, item]));
    return ids.map((id) => found.get(id) ?? null);
  };
  const ordersOf = new Map();
  return {
    users: new DataLoader((ids) => byId(ids, findUsers(services, ids))),
    products: new DataLoader((ids) => byId(ids, findProducts(services, ids))),
    ordersOf(limit) {
      const known = ordersOf.get(limit) ?? new DataLoader((ids) => firstPagesOfOrders(services, ids, limit));
      ordersOf.set(limit, known);
      return known;
    },
  };
}

/** A page as a Relay connection. */
function connection({ data, nextCursor }, after, sortKey = "createdAt") {
  const edges = data.map((node) => ({ node, cursor: cursors.seal(node[sortKey], node.id) }));
  const pageInfo = {
    hasNextPage: nextCursor !== null,
    hasPreviousPage: after != null,
    startCursor: edges[0]?.cursor ?? null,
    endCursor: edges.at(-1)?.cursor ?? null,
  };
  return { edges, pageInfo };
}

function sizeOf(first) {
  const size = first ?? PAGE_SIZE_DEFAULT;
  if (size < 1 || size > 100) throw refusal("validation_failed");
  return size;
}

function refusal(code) {
  return new GraphQLError("The request is refused.", { extensions: { code } });
}
