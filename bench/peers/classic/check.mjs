/** Walks each endpoint of the peer, prints what answered, and says whether all did as they should. */

const USERS = 50;
const PRODUCTS = 5;
const LIMIT = 25;
/** Requests of the last user before its limit is tried: refused input and unknown paths count. */
const SENT_ABOVE = 5;

/**
 * @param {typeof import("./start.mjs").startClassic} startClassic
 * @returns {Promise<number>} exit code
 */
export async function check(startClassic) {
  const peer = await startClassic({
    users: USERS,
    products: PRODUCTS,
    limitMax: LIMIT,
    authLimitMax: 10,
  });
  if ("skipped" in peer) {
    console.log(`skipped: ${peer.skipped}`);
    return 0;
  }
  try {
    const walk = new Walk(peer);
    await walkUsers(walk, peer);
    await walkOrders(walk, peer);
    await walkGraphql(walk, peer);
    await walkRefusals(walk, peer);
    console.log(walk.failures === 0 ? "all as expected" : `${walk.failures} not as expected`);
    return walk.failures === 0 ? 0 : 1;
  } finally {
    await peer.stop();
  }
}

class Walk {
  failures = 0;
  #peer;

  constructor(peer) {
    this.#peer = peer;
  }

  /** Sends, compares, prints. @returns {Promise<{status: number, headers: Headers, body: any}>} */
  async step(what, wanted, { method = "GET", path, as, body, headers = {}, see = () => true }) {
    const token = as === undefined ? {} : { Authorization: `Bearer ${this.#peer.tokenOf(as)}` };
    const type = body === undefined ? {} : { "Content-Type": "application/json" };
    const answer = await fetch(this.#peer.url + path, {
      method,
      headers: { ...token, ...type, ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    const result = {
      status: answer.status,
      headers: answer.headers,
      body: text === "" ? null : JSON.parse(text),
    };
    const isRight = answer.status === wanted && see(result) === true;
    if (!isRight) this.failures += 1;
    console.log(
      `${isRight ? "ok  " : "FAIL"} ${answer.status} ${method} ${path} (${what}) ${text.slice(0, isRight ? 80 : 1000)}`,
    );
    return result;
  }
}

async function walkUsers(walk, { userIds, password, emailOf }) {
  const [admin, user] = userIds;
  const path = `/api/users/${user}`;
  const input = { name: "Ada Lovelace", email: "ada@example.com", password };
  await walk.step("sign-up", 201, {
    method: "POST",
    path: "/api/users",
    body: input,
    see: ({ body }) => body.version === 1,
  });
  await walk.step("taken", 409, { method: "POST", path: "/api/users", body: input });
  const logIn = { method: "POST", path: "/api/auth/login" };
  await walk.step("login", 200, {
    ...logIn,
    body: { email: emailOf(1), password },
    see: ({ body }) => body.user.id === user,
  });
  await walk.step("wrong password", 401, { ...logIn, body: { email: emailOf(1), password: "wrong" } });
  const isUser = ({ body, headers }) => body.id === user && headers.get("etag") === '"1"';
  await walk.step("from PostgreSQL", 200, { path, as: user, see: isUser });
  await walk.step("from Redis", 200, {
    path,
    as: user,
    see: (answer) => isUser(answer) && answer.headers.has("ratelimit"),
  });
  // Node's fetch would add `no-cache` of its own, and Express answers that in full.
  const known = { "If-None-Match": '"1"', "Cache-Control": "max-age=0" };
  await walk.step("known version", 304, { path, as: user, headers: known });
  await walk.step("another's", 404, { path: `/api/users/${admin}`, as: user });
  const patch = { method: "PATCH", path, as: user };
  const isPatched = ({ body }) =>
    body.version === 2 && body.profile.bio === "new" && body.profile.locale === "en";
  await walk.step("patch", 200, {
    ...patch,
    body: { name: "New Name", profile: { bio: "new" } },
    see: isPatched,
  });
  await walk.step("patch of the row alone", 200, {
    ...patch,
    body: { age: 40 },
    see: ({ body }) => body.version === 3,
  });
  await walk.step("stale", 412, { ...patch, body: { age: 41 }, headers: { "If-Match": '"1"' } });
  await walk.step("read after write", 200, {
    path,
    as: user,
    see: ({ body }) => body.name === "New Name" && body.age === 40,
  });
  const list = { path: "/api/users?limit=20", as: admin };
  const first = await walk.step("first page", 200, { ...list, see: ({ body }) => body.data.length === 20 });
  const next = `${list.path}&cursor=${first.body.nextCursor}`;
  const isNext = ({ body }) =>
    body.data.length === 20 && body.data[0].createdAt < first.body.data[19].createdAt;
  await walk.step("next page", 200, { path: next, as: admin, see: isNext });
  await walk.step("list by a user", 403, { path: list.path, as: user });
}

async function walkOrders(walk, { userIds: [admin, user], productIds }) {
  const product = { sku: "NEW", name: "New", priceMinor: 250, currency: "EUR", stock: 3 };
  const made = await walk.step("new product", 201, {
    method: "POST",
    path: "/api/products",
    as: admin,
    body: product,
  });
  await walk.step("products", 200, {
    path: "/api/products",
    see: ({ body }) => body.data.length === PRODUCTS + 1,
  });
  const place = (quantity) => ({
    ...{ method: "POST", path: "/api/orders", as: user },
    body: {
      items: [
        { productId: made.body.id, quantity },
        { productId: productIds[0], quantity: 1 },
      ],
    },
  });
  const placed = await walk.step("order", 201, { ...place(2), see: ({ body }) => body.totalMinor === 600 });
  await walk.step("sold out", 409, { ...place(2), see: ({ body }) => body.products[0].available === 1 });
  await walk.step("the order", 200, {
    path: `/api/orders/${placed.body.id}`,
    as: user,
    see: ({ body }) => body.items.length === 2,
  });
  await walk.step("orders", 200, {
    path: "/api/orders",
    as: user,
    see: ({ body }) => body.data.length === 3,
  });
}

async function walkGraphql(walk, { userIds: [admin, user] }) {
  const query = `{ users(first: 10) { edges { node { name role orders(first: 2) { edges { node { totalMinor status
    items { quantity product { sku } } } } } } } } }`;
  const isThreeLevels = ({ body }) =>
    body.data.users.edges.length === 10 &&
    body.data.users.edges[1].node.orders.edges[0].node.items[0].product.sku !== "";
  const call = { method: "POST", path: "/graphql", headers: { Accept: "application/json" } };
  await walk.step("three levels", 200, { ...call, as: admin, body: { query }, see: isThreeLevels });
  await walk.step("me", 200, {
    ...call,
    as: user,
    body: { query: "{ me { name } }" },
    see: ({ body }) => body.data.me.name === "New Name",
  });
}

async function walkRefusals(walk, { userIds: [, , user] }) {
  const path = `/api/users/${user}`;
  await walk.step("no token", 401, { path });
  await walk.step("bad token", 401, { path, headers: { Authorization: "Bearer nonsense" } });
  await walk.step("invalid", 400, {
    method: "PATCH",
    path,
    as: user,
    body: { name: "x" },
    see: ({ body }) => body.errors.length === 1,
  });
  await walk.step("no JSON", 400, { method: "PATCH", path, as: user, body: "{" });
  await walk.step("too large", 413, { method: "PATCH", path, as: user, body: { name: "x".repeat(300_000) } });
  await walk.step("not JSON", 415, {
    method: "PATCH",
    path,
    as: user,
    body: "x",
    headers: { "Content-Type": "text/plain" },
  });
  await walk.step("no route", 404, { path: "/api/nothing", as: user });
  for (let sent = SENT_ABOVE; sent < LIMIT; sent += 1)
    await walk.step("within the limit", 200, { path, as: user });
  await walk.step("over the limit", 429, { path, as: user });
}
