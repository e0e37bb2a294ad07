/** Rows read are D1's price, and what a list costs when its index is missing. Counted by D1 itself, at two sizes. */
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { systemClock } from "../../src/platform/clock";
import { EventLog } from "../../src/platform/outbox";
import { signToken } from "../support/accounts";
import { sendCounted, tickCounted } from "../support/counted-app";
import { crowdId, fill } from "../support/crowd";
import { bench } from "../support/outbox";

const SMALL = { first: 0, last: 99 };
const MORE = { first: 100, last: 999 };

const ADMIN = crowdId("user", 0);
const USER = crowdId("user", 7);
const OF_USER = `userId=${USER}`;
const ALWAYS = "createdAfter=2020-01-01T00:00:00Z";

interface Ask {
  readonly path: string;
  readonly as: string | null;
  readonly method?: string;
  readonly json?: object;
}

const get =
  (as: string) =>
  (path: string): Ask => ({ path, as });

const LISTS: readonly Ask[] = [
  ...[
    ...["", "&sort=createdAt", "&sort=name", "&sort=-name", `&${ALWAYS}`, "&email=p9@example.com"],
    ...["&role=user", "&role=user&sort=name", "&role=admin", "&role=admin&sort=-name"],
    ...["&name=Person%200000&sort=name", "&name=Person%20000042"],
  ].map((filters) => get(ADMIN)(`/api/users?limit=5${filters}`)),
  ...["", "&status=pending", "&status=paid", `&status=pending&${ALWAYS}`].map((filters) =>
    get(USER)(`/api/orders?limit=5${filters}`),
  ),
  ...["", "&status=pending", `&${OF_USER}`, `&${OF_USER}&status=delivered&${ALWAYS}`].map((filters) =>
    get(ADMIN)(`/api/orders?limit=5${filters}`),
  ),
  ...["/api/products?limit=5", "/api/products?limit=5&sku=S9", "/api/auth/sessions"].map(get(USER)),
  ...["", "&type=user.created", "&type=user.deleted", `&type=user.created&subject=${USER}`].map((filters) =>
    get(ADMIN)(`/api/events?limit=5${filters}`),
  ),
  ...["", "&actor=anonymous", `&actor=anonymous&subject=user:${USER}`].map((filters) =>
    get(ADMIN)(`/api/audit?limit=5${filters}`),
  ),
  get(ADMIN)("/api/events/dead-letters"),
  ...[{}, { status: "PENDING" }, { status: "PAID" }].map((filter) => ({
    ...{ path: "/graphql", as: ADMIN, method: "POST" },
    json: {
      query: `query ($filter: OrderFilter) { users(first: 5) { edges { node { orders(first: 2, filter: $filter) {
        edges { node { items { quantity product { sku } } } } } } } } }`,
      variables: { filter },
    },
  })),
];

const ONE: readonly Ask[] = [
  get(USER)(`/api/users/${USER}`),
  get(USER)(`/api/orders/${crowdId("order", 14)}`),
  get(USER)(`/api/products/${crowdId("product", 3)}`),
  get(ADMIN)(`/api/events/${crowdId("event", 3)}`),
];

const WRITES: readonly (() => Ask)[] = [
  () => ({
    ...post("/api/users", null),
    json: { name: "Ada Lovelace", email: `${crypto.randomUUID()}@a.com` },
  }),
  () => ({ ...post(`/api/users/${USER}`, USER), method: "PATCH", json: { age: 40 } }),
  () => ({
    ...post("/api/orders", USER),
    json: { items: [1, 2].map((index) => ({ productId: crowdId("product", index), quantity: 1 })) },
  }),
];

test.each([
  ["a list", LISTS],
  ["one of them", ONE],
])("what a read of %s reads in D1 does not grow with what others have stored", async (_, asks) => {
  await fill(SMALL, systemClock());
  const small = await figuresOf(asks);
  await fill(MORE, systemClock());
  expect(await figuresOf(asks)).toEqual(small);
});

test("what a write reads in D1 does not grow with what others have stored, nor with what waits to be sent", async () => {
  await fill(SMALL, systemClock());
  const small = await figuresOf(WRITES.map((ask) => ask()));
  await fill(MORE, systemClock());
  const large = await figuresOf(WRITES.map((ask) => ask()));
  expect(large.map(({ rowsRead }) => rowsRead)).toEqual(small.map(({ rowsRead }) => rowsRead));
});

const BEFORE = "createdBefore=2100-01-01T00:00:00Z";
const PAGES = 6;
const PAGED: readonly (readonly [list: string, cursor: string])[] = [
  ...[
    ...["users?", `users?${BEFORE}`, `users?sort=createdAt&${ALWAYS}`, "users?role=user"],
    ...["users?sort=name&name=Person", "users?sort=-name&name=Person", "products?"],
    ...["orders?", `orders?${BEFORE}`, `orders?status=pending&${BEFORE}`],
    ...["events/dead-letters?", "events/dead-letters?from=2020-01-01T00:00:00Z"],
  ].map((list) => [list, "cursor"] as const),
  ...["events?type=user.created", "audit?actor=anonymous"].map((list) => [list, "after"] as const),
];

test.each(PAGED)("the sixth page of /api/%s reads as many rows as the second", async (list, cursor) => {
  await fill(SMALL, systemClock());
  const first = `/api/${list}&limit=5`;
  const rowsRead: number[] = [];
  let path = first;
  for (let page = 1; page <= PAGES; page += 1) {
    const { rows, answer } = await spentOn({ path, as: ADMIN });
    expect(answer.nextCursor).toBeTruthy();
    rowsRead.push(rows);
    path = `${first}&${cursor}=${answer.nextCursor}`;
  }
  expect(rowsRead.slice(2)).toEqual(rowsRead.slice(2).fill(rowsRead[1] ?? 0));
});

test("a tick of the cron that finds nothing to do reads next to nothing, however long the log", async () => {
  await fill(SMALL, systemClock());
  await tickCounted();
  const small = await tickCounted();
  await fill(MORE, systemClock());
  expect((await tickCounted()).d1RowsRead).toEqual(small.d1RowsRead);
});

test("the clean-up of the log reads what it takes away: no more for what is too young, nor for what is old beside it", async () => {
  const on = bench();
  const log = new EventLog(on.database, "https://meridian.example");
  const cleanUp = async (cutoff: number) => {
    const before = on.scope.calls.d1RowsRead;
    return { gone: await log.deleteSettled(cutoff, 200), rows: on.scope.calls.d1RowsRead - before };
  };
  const now = systemClock();
  for (const crowd of [SMALL, MORE]) await fill(crowd, now);
  await env.DB.batch([
    env.DB.prepare("update event_deliveries set state = 'done'"),
    env.DB.prepare("update dead_letters set state = 'discarded'"),
  ]);
  const idle = await cleanUp(0);
  expect([idle.gone, idle.rows < 20]).toEqual([0, true]);
  // Of two thousand that are old, a step takes two hundred; each with its deliveries, its letter and its entries of indexes.
  const { gone, rows } = await cleanUp(now);
  expect(gone).toBe(200);
  expect(rows / gone).toBeLessThan(30);
});

async function figuresOf(
  asks: readonly Ask[],
): Promise<{ readonly ask: string; readonly rowsRead: number }[]> {
  const figures = [];
  for (const ask of asks) figures.push({ ask: nameOf(ask), rowsRead: (await spentOn(ask)).rows });
  return figures;
}

interface Spending {
  readonly rows: number;
  readonly answer: { readonly nextCursor?: string | null };
}

let addresses = 0;

/** Of a network of its own: what the neighbours were counted is read with a sign-up. */
function ownAddress(): string {
  addresses += 1;
  return `198.51.${addresses >> 8}.${addresses & 255}`;
}

/** With a bookmark that no cache can have reached, so that each call asks D1. */
async function spentOn({ path, as, method = "GET", json }: Ask): Promise<Spending> {
  const role = as === ADMIN ? "admin" : "user";
  const headers = new Headers({
    "CF-Connecting-IP": ownAddress(),
    "X-D1-Bookmark": `ffffffff-ffffffff-ffffffff-${"f".repeat(32)}`,
    ...(as === null ? {} : { Authorization: `Bearer ${await signToken({ userId: as, role })}` }),
    ...(json === undefined ? {} : { "Content-Type": "application/json" }),
  });
  const body = json === undefined ? null : JSON.stringify(json);
  const request = new Request(`https://meridian.example${path}`, { method, headers, body });
  const { response, before, after } = await sendCounted(request);
  expect([path, response.ok]).toEqual([path, true]);
  return { rows: before.d1RowsRead + after.d1RowsRead, answer: await response.json() };
}

function nameOf({ path, as, json }: Ask): string {
  return `${path} ${as === ADMIN ? "by an administrator" : "by a user"} ${JSON.stringify(json ?? "")}`;
}

function post(path: string, as: string | null) {
  return { path, as, method: "POST" };
}
