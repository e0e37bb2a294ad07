/**
 * What a request asks of the platform, counted by the runtime's own trace spans: not by our counters, nor by wrapped
 * bindings. `wrangler dev` keeps the spans and answers queries over them.
 */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type DevServer, startDevServer } from "../support/dev-server.ts";

const PASSWORD = "correct horse battery staple";
let server: DevServer;

beforeAll(async () => {
  server = await startDevServer(["wrangler.toml"]);
  const isReady = async () => expect((await fetch(`${server.base}/readyz`)).status).toBe(200);
  await vi.waitFor(isReady, { timeout: 50_000, interval: 200 });
}, 90_000);

afterAll(() => server?.stop());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads any member
  readonly body: any;
}

async function send(
  method: string,
  path: string,
  options: { json?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await fetch(`${server.base}${path}`, {
    method,
    headers: { "Content-Type": "application/json", ...options.headers },
    ...(options.json === undefined ? {} : { body: JSON.stringify(options.json) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? null : JSON.parse(text) };
}

async function query(sql: string): Promise<unknown[][]> {
  const { body } = await send("POST", "/cdn-cgi/local/explorer/api/local/observability/query", {
    json: { sql },
  });
  return body.result.rows;
}

/** Spans of the one GET that is sent meanwhile, by what they are of. */
async function spansOfGet(path: string, headers: Record<string, string>) {
  const roots = () => query("select trace_id from spans where name = 'GET' and parent_id is null");
  const known = new Set((await roots()).map(([traceId]) => traceId));
  const answer = await send("GET", path, { headers });
  const findNew = async () =>
    (await roots()).map(([traceId]) => traceId).find((traceId) => !known.has(traceId));
  await expect.poll(findNew, { timeout: 10_000, interval: 100 }).toBeDefined();
  const traceId = await findNew();
  // A trace is written when all of it has ended.
  const names = (await query(`select name from spans where trace_id = '${traceId}'`)).map(([name]) =>
    String(name),
  );
  const of = (prefix: string) => names.filter((name) => name.startsWith(prefix)).length;
  return {
    answer,
    d1: of("d1_"),
    objects: of("durable_object_subrequest"),
    kv: of("kv_"),
    kvReads: of("kv_get"),
  };
}

test("a warm read of a user makes no D1 call, no object call and at most one KV read; a bookmark is honoured", async () => {
  const email = "ada@example.com";
  const created = await send("POST", "/api/users", {
    json: { name: "Ada Lovelace", email, password: PASSWORD },
  });
  expect(created.status).toBe(201);
  const login = await send("POST", "/api/auth/login", { json: { email, password: PASSWORD } });
  const bearer = { Authorization: `Bearer ${login.body.accessToken}` };
  const path = `/api/users/${created.body.id}`;

  const spent = [];
  for (let read = 0; read < 30; read += 1) spent.push(await spansOfGet(path, bearer));
  expect(spent.every(({ answer }) => answer.status === 200)).toBe(true);
  expect(spent.map(({ d1 }) => d1)).toEqual(Array(30).fill(0));
  expect(spent.every(({ kv }) => kv <= 1)).toBe(true);
  // One ask a full lease, once the lease has grown.
  const asked = spent.slice(10).map(({ objects }) => objects);
  expect(asked.filter((objects) => objects > 0).length).toBeLessThanOrEqual(2);
  expect(spent.some(({ d1, objects, kv }) => d1 + objects + kv === 0)).toBe(true);

  const patched = await send("PATCH", path, { json: { name: "Ada King" }, headers: bearer });
  const bookmark = patched.headers.get("x-d1-bookmark") ?? "";
  expect(bookmark).toMatch(/^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}$/);
  const own = await spansOfGet(path, { ...bearer, "X-D1-Bookmark": bookmark });
  expect(own.answer.body).toMatchObject({ name: "Ada King", version: 2 });
  expect(own.d1).toBe(0);

  // From the future: the primary is read, which the spans show too, so that their zeros mean something.
  const ahead = `f${bookmark.slice(1)}`;
  const refused = await spansOfGet(path, { ...bearer, "X-D1-Bookmark": ahead });
  expect(refused.answer.body).toMatchObject({ name: "Ada King", version: 2 });
  expect([refused.d1, refused.kvReads]).toEqual([1, 1]);
}, 90_000);
