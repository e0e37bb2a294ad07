/** What is asked of each size: of users who lie far apart in the tables, and past every cache. */
import { productId, userId } from "../data.mjs";
import { PRODUCTS } from "./world.mjs";

const JSON_TYPE = { "Content-Type": "application/json" };
/** A bookmark that no cache can have reached: the answer comes from D1. See `src/platform/cache/two-tier-cache.ts`. */
const PAST_ALL_CACHES = { "X-D1-Bookmark": `ffffffff-ffffffff-ffffffff-${"f".repeat(32)}` };
/** So many users are asked about, */
const SPREAD = 200;
/** and so many place orders: a client that asks steadily holds a lease of the limiter, which is not measured here. */
const CALLERS = 4;
/** What the project promises of a list and a get: among a million users within this many times as among a thousand. */
const RATIO_MAX = 1.3;

const THREE_LEVELS = `query ($before: DateTime) { users(first: 10, filter: { createdBefore: $before }) { edges { node { name
  orders(first: 2) { edges { node { totalMinor items { quantity product { sku } } } } } } } } }`;

/**
 * @typedef {{name: string, title: string, isRead: boolean, ratioMax: number | null, requests: readonly import("../wrk.mjs").Request[]}} Call
 *   `ratioMax`: how many times as long as among the fewest users it may take
 * @param {{users: number, url: string, tokenOf: (user: {id: string, role: "user" | "admin"}) => Promise<string>}} world
 * @returns {Promise<readonly Call[]>}
 */
export async function callsFor({ users, url, tokenOf }) {
  const bearer = async (id, role) => ({
    Authorization: `Bearer ${await tokenOf({ id, role })}`,
    ...PAST_ALL_CACHES,
  });
  const indices = Array.from({ length: SPREAD }, (_, index) => Math.floor(((index + 0.5) * users) / SPREAD));
  const ids = indices.map(userId);
  const admin = await bearer(userId(0), "admin");
  const callers = await Promise.all(ids.slice(-CALLERS).map((id) => bearer(id, "user")));
  return [
    ...(await reads({ url, ids, indices, admin })),
    write("sign-up", "sign-up without a password", [SIGN_UP]),
    write(
      "patch",
      "PATCH",
      ids.map((id) => send("PATCH", `/api/users/${id}`, admin, { age: 40 })),
    ),
    write(
      "order",
      "place an order of two lines",
      callers.map((headers, index) => send("POST", "/api/orders", headers, orderOf(index))),
    ),
  ];
}

async function reads({ url, ids, indices, admin }) {
  const get = (path) => ({ method: "GET", path, headers: admin });
  const read = (name, title, requests, ratioMax = null) => ({
    name,
    title,
    requests,
    ratioMax,
    isRead: true,
  });
  const times = await createdAt({ url, headers: admin, ids });
  const listed = (title, name, query) => read(name, title, [get(`/api/users?limit=20${query}`)], RATIO_MAX);
  return [
    read(
      "get",
      "get a user",
      ids.map((id) => get(`/api/users/${id}`)),
      RATIO_MAX,
    ),
    listed("list, first page of 20", "list", ""),
    read(
      "list-next",
      "list, page out of the middle",
      await nextPages({ url, headers: admin, times }),
      RATIO_MAX,
    ),
    listed("list by name", "list-name", "&sort=name"),
    listed("list of administrators", "list-admins", "&role=admin"),
    read(
      "orders",
      "a user's pending orders",
      ids.map((id) => get(`/api/orders?status=pending&userId=${id}`)),
    ),
    read(
      "events",
      "event log, page of 20",
      indices.map((index) => get(`/api/events?limit=20&after=${Math.floor(index / 2)}`)),
    ),
    read(
      "graphql",
      "GraphQL, 10 users, orders, products",
      times.map((before) => send("POST", "/graphql", admin, { query: THREE_LEVELS, variables: { before } })),
    ),
  ];
}

function write(name, title, requests) {
  return { name, title, requests, ratioMax: null, isRead: false };
}

function send(method, path, headers, body) {
  return { method, path, headers: { ...headers, ...JSON_TYPE }, body: JSON.stringify(body) };
}

const SIGN_UP = send(
  "POST",
  "/api/users",
  { "CF-Connecting-IP": "10.2.0.1" },
  { name: "Grace Hopper", email: "new%d@example.com" },
);

function orderOf(index) {
  return { items: [0, 1].map((line) => ({ productId: productId((index + line) % PRODUCTS), quantity: 1 })) };
}

/** When each of the users was created, but for the first few, before whom there is no whole page. */
async function createdAt({ url, headers, ids }) {
  const users = await Promise.all(ids.map((id) => json(`${url}/api/users/${id}`, headers)));
  return users.map((user) => user.createdAt).slice(SPREAD / 20);
}

/** The second pages of lists that begin all over the table: each by the cursor that its first page gave out. */
async function nextPages({ url, headers, times }) {
  const starts = times.filter((_, index) => index % 10 === 5);
  return await Promise.all(
    starts.map(async (before) => {
      const path = `/api/users?limit=20&createdBefore=${before}`;
      const { nextCursor } = await json(`${url}${path}`, headers);
      return { method: "GET", path: `${path}&cursor=${nextCursor}`, headers };
    }),
  );
}

async function json(url, headers) {
  const answer = await fetch(url, { headers });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  return await answer.json();
}
