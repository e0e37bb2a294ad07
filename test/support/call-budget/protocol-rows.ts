/** The call budget of GraphQL and RPC: the same use cases, so the same cost. */
import { asAdmin, asUser, type BudgetRow } from "./stage";

const message = (value: object) => encodeURIComponent(JSON.stringify(value));

export const PROTOCOL_ROWS: readonly BudgetRow[] = [
  {
    endpoint: "GET /graphql",
    variant: "`me`",
    status: 200,
    scene: () => asUser(() => ({ path: `/graphql?query=${encodeURIComponent("{ me { id name } }")}` })),
  },
  {
    endpoint: "POST /graphql",
    variant: "`me` with orders and lines",
    status: 200,
    scene: () =>
      asUser(() => ({
        path: "/graphql",
        json: { query: "{ me { id orders { edges { node { id items { name } } } } } }" },
      })),
  },
  {
    endpoint: "POST /graphql",
    variant: "`users`, each with orders and lines",
    status: 200,
    scene: () =>
      asAdmin(() => ({
        path: "/graphql",
        json: {
          query: "{ users { edges { node { id orders { edges { node { id items { name } } } } } } } }",
        },
      })),
  },
  {
    endpoint: "GET /rpc/*",
    variant: "`GetUser`",
    status: 200,
    scene: () =>
      asUser(({ id }) => ({
        path: `/rpc/users.v1.UserService/GetUser?encoding=json&message=${message({ id })}`,
      })),
  },
  {
    endpoint: "POST /rpc/*",
    variant: "`UpdateUser`",
    status: 200,
    scene: () =>
      asUser(({ id }) => ({
        path: "/rpc/users.v1.UserService/UpdateUser",
        json: { id, age: 36 },
      })),
  },
];
