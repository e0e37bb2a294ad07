/** Lists as connections. Source: relay.dev/graphql/connections.htm, forward paging. */
import type { Page } from "../../../kernel/cursor";
import { builder, type NodeRef } from "./builder";

/** A page with what only a connection asks for; each cursor is made when it is selected. */
export interface Connection<Item> {
  readonly page: Page<Item>;
  readonly hasPreviousPage: boolean;
  readonly cursorOf: (item: Item) => Promise<string>;
}

interface Edge<Item> {
  readonly node: Item;
  readonly connection: Connection<Item>;
}

const PageInfo = builder.objectRef<Connection<unknown>>("PageInfo").implement({
  fields: (t) => ({
    hasNextPage: t.boolean({ resolve: ({ page }) => page.nextCursor !== null }),
    hasPreviousPage: t.exposeBoolean("hasPreviousPage"),
    startCursor: t.string({
      nullable: true,
      resolve: (connection) => cursorAt(connection, connection.page.data[0]),
    }),
    endCursor: t.string({
      nullable: true,
      resolve: (connection) =>
        connection.page.nextCursor ?? cursorAt(connection, connection.page.data.at(-1)),
    }),
  }),
});

async function cursorAt<Item>(
  { cursorOf }: Connection<Item>,
  item: Item | undefined,
): Promise<string | null> {
  return item === undefined ? null : await cursorOf(item);
}

/** `<name>Connection` and `<name>Edge`. */
export function connectionOf<Item extends object>(name: string, node: NodeRef<Item>) {
  const edge = builder.objectRef<Edge<Item>>(`${name}Edge`).implement({
    fields: (t) => ({
      cursor: t.string({ resolve: ({ connection, node }) => connection.cursorOf(node) }),
      // An item is a model, never a promise or a list of its own, which Pothos cannot know of a type parameter.
      node: t.field({ type: node, resolve: (parent) => parent.node as never }),
    }),
  });
  return builder.objectRef<Connection<Item>>(`${name}Connection`).implement({
    fields: (t) => ({
      edges: t.field({
        type: [edge],
        resolve: (connection) => connection.page.data.map((node) => ({ node, connection })),
      }),
      pageInfo: t.field({ type: PageInfo, resolve: (connection) => connection as Connection<unknown> }),
    }),
  });
}
