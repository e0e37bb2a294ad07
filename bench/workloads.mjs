/**
 * What is asked of each side. The same requests for all, but for the token; each workload has users of its own, so that
 * none finds what another has changed.
 */
import { emailOf, PASSWORD, productId, userId } from "./data.mjs";

/** How many users of the seed there must be. */
export const SIZES = { users: 20_000, products: 100 };

/** Who asks at the same time in a workload: as many clients, each with a token and a budget of its own. */
const CLIENTS = 64;
/** Of a list that is begun anew when it is through. */
const MIX_REQUESTS = 120_000;
/** Who reads others: administrators are few. */
const ADMINS = 8;
/** First user of each workload; the administrators are told by their tokens alone. */
const FIRST = { hot: 100, patch: 200, mix: 300, login: 400, order: 500, graphql: 600, rpc: 700, admin: 1000 };
const JSON_TYPE = { "Content-Type": "application/json" };
const GRAPHQL =
  "{ me { name orders(first: 2) { edges { node { status totalMinor items { sku quantity } } } } } }";

const range = (length) => Array.from({ length }, (_, index) => index);

/**
 * @typedef {{name: string, title: string, connections: number, requests: readonly import("./wrk.mjs").Request[], isCold?: boolean,
 *   pace: "read" | "write" | "hash"}} Workload
 *   `isCold`: the caches are emptied before each run; `pace`: of the planet's clients
 * @param {(user: {id: string, role: "user" | "admin"}) => Promise<string>} tokenOf
 * @returns {Promise<readonly Workload[]>}
 */
export async function workloadsFor(tokenOf) {
  const callers = async (first, role = "user", count = CLIENTS) =>
    await Promise.all(
      range(count).map(async (offset) => {
        const id = userId(first + offset);
        return { id, headers: { Authorization: `Bearer ${await tokenOf({ id, role })}` } };
      }),
    );
  const [hot, patchers, mixers, orderers, askers, remote, admins] = await Promise.all([
    callers(FIRST.hot),
    callers(FIRST.patch),
    callers(FIRST.mix),
    callers(FIRST.order),
    callers(FIRST.graphql),
    callers(FIRST.rpc),
    callers(FIRST.admin, "admin", ADMINS),
  ]);
  const wide = { connections: 32 };
  return [
    { name: "hot", title: "hot authenticated GET", ...wide, pace: "read", requests: hot.map(getSelf) },
    { name: "not-modified", title: "304", ...wide, pace: "read", requests: hot.map(getSelfAgain) },
    { name: "mix", title: "the mix", ...wide, pace: "read", isCold: true, requests: mixOf(mixers, admins) },
    { name: "cold", title: "cold GET", ...wide, pace: "read", isCold: true, requests: coldOf(admins) },
    { name: "list", title: "list page of 20", ...wide, pace: "read", requests: admins.map(list) },
    { name: "patch", title: "PATCH", ...wide, pace: "write", requests: patchers.map(patch) },
    {
      name: "sign-up",
      title: "sign-up without a password",
      ...wide,
      pace: "write",
      requests: range(CLIENTS).map(signUp),
    },
    { name: "order", title: "place an order", ...wide, pace: "write", requests: orderers.map(placeOrder) },
    {
      name: "graphql",
      title: "GraphQL, three levels",
      ...wide,
      pace: "read",
      requests: askers.map(askGraphql),
    },
    { name: "rpc", title: "RPC GetUser", ...wide, pace: "read", requests: remote.map(callRpc) },
    { name: "login", title: "login", connections: 2, pace: "hash", requests: range(CLIENTS).map(login) },
  ];
}

const getSelf = ({ id, headers }) => ({ method: "GET", path: `/api/users/${id}`, headers });
const getSelfAgain = ({ id, headers }) => ({
  method: "GET",
  path: `/api/users/${id}`,
  headers: { ...headers, "If-None-Match": '"1"' },
});
const list = ({ headers }) => ({ method: "GET", path: "/api/users?limit=20", headers });
const patch = ({ id, headers }) => ({
  method: "PATCH",
  path: `/api/users/${id}`,
  headers: { ...headers, ...JSON_TYPE },
  body: JSON.stringify({ name: "Ada Lovelace" }),
});
const placeOrder = ({ headers }, index) => ({
  method: "POST",
  path: "/api/orders",
  headers: { ...headers, ...JSON_TYPE },
  body: JSON.stringify({
    items: [
      { productId: productId(index), quantity: 1 },
      { productId: productId(index + 1), quantity: 2 },
    ],
  }),
});
const askGraphql = ({ headers }) => ({
  method: "POST",
  path: "/graphql",
  headers: { ...headers, ...JSON_TYPE },
  body: JSON.stringify({ query: GRAPHQL }),
});
const callRpc = ({ id, headers }) => ({
  method: "POST",
  path: "/rpc/users.v1.UserService/GetUser",
  headers: { ...headers, ...JSON_TYPE },
  body: JSON.stringify({ id }),
});
const login = (index) => ({
  method: "POST",
  path: "/api/auth/login",
  headers: { ...JSON_TYPE, "CF-Connecting-IP": `10.1.0.${index}` },
  body: JSON.stringify({ email: emailOf(FIRST.login + index), password: PASSWORD }),
});
const signUp = (index) => ({
  method: "POST",
  path: "/api/users",
  headers: { ...JSON_TYPE, "CF-Connecting-IP": `10.2.0.${index}` },
  body: JSON.stringify({ name: "Grace Hopper", email: "new%d@example.com" }),
});

/** Users in an order that repeats none for as long as there are others, read by administrators. */
function coldOf(admins) {
  const strides = range(SIZES.users).map((index) => (index * 7_919) % SIZES.users);
  return strides.map((index, at) => ({
    ...getSelf(admins[at % ADMINS]),
    path: `/api/users/${userId(index)}`,
  }));
}

/**
 * Of a hundred requests 90 read oneself, 8 somebody whom nobody has read of late, and 2 change oneself. So long that a side
 * needs over two minutes for it: what an isolate has read in these it counts as read before.
 */
function mixOf(mixers, admins) {
  const cold = coldOf(admins);
  let coldReads = 0;
  return range(MIX_REQUESTS).map((at) => {
    // One further after each hundred, or half of them would never change.
    const caller = mixers[(at * 13 + Math.floor(at / 100)) % CLIENTS];
    const place = (at * 37) % 100;
    if (place < 90) return getSelf(caller);
    if (place >= 98) return patch(caller);
    coldReads += 1;
    return cold[coldReads % SIZES.users];
  });
}
