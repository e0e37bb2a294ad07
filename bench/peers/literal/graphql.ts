/** `/graphql`: the part of the project's schema that is measured, over graphql-js. */
import { buildSchema, graphql } from "graphql";
import type { Context } from "hono";
import type { LiteralEnv } from "./env";
import { ordersOf } from "./orders";
import { getUser } from "./users";

const schema = buildSchema(`
  type Query { me: User }
  type User { id: ID! name: String! email: String! role: String! orders(first: Int = 20): OrderConnection! }
  type OrderConnection { edges: [OrderEdge!]! }
  type OrderEdge { node: Order! }
  type Order { id: ID! status: String! currency: String! totalMinor: Int! items: [OrderItem!]! }
  type OrderItem { productId: ID! sku: String! name: String! unitPriceMinor: Int! quantity: Int! }
`);

export async function answerGraphql(c: Context<LiteralEnv>): Promise<Response> {
  const { query } = await c.req.json<{ query: string }>();
  const { actor } = c.var;
  const me = async () => {
    if (actor === null) return null;
    const user = await getUser(c.env, actor.id, (work) => c.executionCtx.waitUntil(work));
    const orders = async ({ first }: { first: number }) => ({
      edges: (await ordersOf(c.env, actor.id, first)).map((node) => ({ node })),
    });
    return user === null ? null : { ...user, orders };
  };
  return c.json(await graphql({ schema, source: query, rootValue: { me } }));
}
