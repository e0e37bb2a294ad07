/** A bug, wherever it is thrown, is logged with its place; its caller learns that something failed, and no more. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { HTTPException } from "hono/http-exception";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { UsersEntrypoint } from "../../../src/entrypoints";
import { createApp } from "../../../src/gateway/http/app";
import { AppError, done, ERROR_CATALOGUE } from "../../../src/kernel/errors";
import { backgroundScope } from "../../../src/platform/background-scope";
import { newId } from "../../../src/platform/clock";
import { configOf } from "../../../src/platform/env";
import { ExactBudgets, shieldOf } from "../../../src/platform/limiter";
import { systemSleep } from "../../../src/platform/limiter/silence";
import { newCalls } from "../../../src/platform/observability/calls";
import { createLogger, type LogFields } from "../../../src/platform/observability/logger";
import { authBudgetsOf } from "../../../src/services/auth";
import { readGauges } from "../../../src/services/operations/metrics/report";
import { wire } from "../../../src/wiring";
import { freshEmail } from "../../support/accounts";
import { sendCounted } from "../../support/counted-app";
import { DEFAULT_POLICY, newIsolate } from "../../support/limiter";
import { bench, commitEvent, deliveriesOf, dispatcher, handOver } from "../../support/outbox";
import { replaced } from "../../support/replaced";

const SECRET = "plantedMessage";
const ID = "01890000-0000-7000-8000-000000000001";

function throwPlanted(): never {
  throw new TypeError(`cannot read ${SECRET}`);
}
const plantedBug = async (): Promise<never> => throwPlanted();

let lines: LogFields[] = [];

beforeEach(() => {
  lines = [];
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation((line: string) => void lines.push(JSON.parse(line)));
});
afterEach(() => vi.restoreAllMocks());

const logged = (event: string) => lines.filter((line) => line.event === event);

/** One line names the bug and the place; none has its message. */
function expectLogged(event: string, fields: LogFields = {}): void {
  expect(logged(event)).toMatchObject([{ ...fields, stack: expect.stringContaining("throwPlanted") }]);
  expect(logged(event)[0]?.error).toContain("TypeError");
  expect(JSON.stringify(lines)).not.toContain(SECRET);
}

/** Sends a request to a Worker whose services have bugs. */
async function send(path: string, init: RequestInit, services: object): Promise<Response> {
  const app = createApp((...args) => replaced(wire(...args), services));
  const context = createExecutionContext();
  const response = await app.fetch(new Request(`https://meridian.example${path}`, init), { ...env }, context);
  const text = await response.text();
  await waitOnExecutionContext(context);
  expect(text).not.toContain(SECRET);
  return new Response(text, response);
}

const post = (body: BodyInit, type = "application/json") => ({
  method: "POST",
  headers: { "Content-Type": type },
  body,
});

/** A message of a stream: a flag, four bytes of length, the bytes. */
function framed(message: object): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(JSON.stringify(message));
  const frame = new Uint8Array(5 + bytes.length);
  new DataView(frame.buffer).setUint32(1, bytes.length);
  frame.set(bytes, 5);
  return frame;
}

describe("in a request", () => {
  test("of REST", async () => {
    const response = await send("/api/products", {}, { products: { list: plantedBug } });
    expect([response.status, await response.json()]).toMatchObject([500, { code: "internal" }]);
    expectLogged("request.failed", { route: "/api/products" });
  });

  test("of REST that throws Hono's own exception with status 500", async () => {
    const list = async () => {
      throw new HTTPException(500, { message: SECRET });
    };
    const response = await send("/api/products", {}, { products: { list } });
    expect([response.status, await response.json()]).toMatchObject([500, { code: "internal" }]);
    expect(logged("request.failed")).toMatchObject([{ stack: expect.stringContaining("list") }]);
  });

  test("of GraphQL, in a resolver", async () => {
    const query = JSON.stringify({ query: "{ products { edges { node { id } } } }" });
    const response = await send("/graphql", post(query), { products: { list: plantedBug } });
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: "internal" } }] });
    expectLogged("graphql.failed");
  });

  test("of RPC", async () => {
    const body = JSON.stringify({ id: ID });
    const path = "/rpc/orders.v1.OrderService/GetOrder";
    const response = await send(path, post(body), { orders: { get: plantedBug } });
    expect([response.status, await response.json()]).toMatchObject([500, { code: "internal" }]);
    expectLogged("rpc.failed");
  });

  test("of RPC, in a stream, whose end has the code and the request's id", async () => {
    const init = post(framed({ id: ID }), "application/connect+json");
    const path = "/rpc/orders.v1.OrderService/WatchOrder";
    const response = await send(path, init, { orders: { get: plantedBug } });
    expect(await response.text()).toMatch(/"code":"internal".*"requestId":"[\w-]+"/);
    expectLogged("rpc.failed");
  });
});

describe("an RPC's answer that cannot be encoded is a bug like another", () => {
  const item = { productId: "p", sku: 7, name: SECRET, quantity: 1, unitPriceMinor: 1, lineTotalMinor: 1 };
  const order = {
    ...{ id: ID, userId: null, status: "pending", currency: "EUR", totalMinor: 1, version: 1, items: [item] },
    ...{ createdAt: "2026-01-01T00:00:00.000Z", updatedAt: "2026-01-01T00:00:00.000Z" },
  };
  const services = { orders: { get: async () => done(order) } };
  const [unary, stream] = ["GetOrder", "WatchOrder"].map((name) => `/rpc/orders.v1.OrderService/${name}`);

  test.each([
    ["Connect", unary, post(JSON.stringify({ id: ID }))],
    ["a stream of Connect", stream, post(framed({ id: ID }), "application/connect+json")],
    ["gRPC-Web", unary, post(framed({ id: ID }), "application/grpc-web+json")],
  ])("over %s", async (_, path = "", init) => {
    const text = (await (await send(path, init, services)).text()).replaceAll("%20", " ");
    expect(text).not.toMatch(/sku|encode/);
    expect(text).toContain("report that id");
    const error = expect.stringMatching(/AppError: the answer of \w+Order cannot be encoded <- \w*Error$/);
    expect(logged("rpc.failed")).toMatchObject([{ error }]);
  });
});

test("after the deadline of an RPC its bug is logged all the same", async () => {
  const get = async () => {
    await scheduler.wait(50);
    throwPlanted();
  };
  const init = post(JSON.stringify({ id: ID }));
  const headers = { ...init.headers, "Connect-Timeout-Ms": "10" };
  const path = "/rpc/orders.v1.OrderService/GetOrder";
  const response = await send(path, { ...init, headers }, { orders: { get } });
  expect(response.status).toBe(504);
  expectLogged("rpc.failed");
});

test("work after the response", async () => {
  const context = createExecutionContext();
  const scope = backgroundScope("cron", configOf(env), context);
  scope.waitUntil(plantedBug());
  await waitOnExecutionContext(context);
  expectLogged("background.failed", { requestId: scope.requestId });
});

test("work after a request's response", async () => {
  const app = createApp((bindings, config, scope) => {
    scope.waitUntil(plantedBug());
    return wire(bindings, config, scope);
  });
  const context = createExecutionContext();
  await app.fetch(new Request("https://meridian.example/healthz"), { ...env }, context);
  await waitOnExecutionContext(context);
  expectLogged("background.failed");
});

describe("in a call over a service binding", () => {
  // Not over the binding itself, for workerd prints whatever a method throws.
  const users = () => new UsersEntrypoint(createExecutionContext(), env);

  test("a failure, whose caller learns its words and not its cause", async () => {
    await env.DB.prepare("drop table user_profiles").run();
    const input = { name: "Ada Lovelace", email: freshEmail() };
    const failure = await users()
      .create(input)
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ message: "D1 failed", code: "unavailable", cause: undefined });
    expect(logged("binding.failed")).toMatchObject([{ error: expect.stringContaining("SQLITE_ERROR") }]);
  });

  test("a bug, of which its caller learns nothing", async () => {
    const bug = await users()
      .update(ID, {}, null as never)
      .catch((error: unknown) => error);
    expect(bug).toMatchObject({ message: ERROR_CATALOGUE.internal.explanation, code: "internal" });
    expect(logged("binding.failed")).toMatchObject([
      { error: "TypeError", stack: expect.stringContaining("bindings/users.ts") },
    ]);
  });
});

describe("in a queue", () => {
  test("a consumer: the line has the place, the ledger only the name", async () => {
    const on = bench();
    const id = await commitEvent(on);
    const handlers = dispatcher(on, { mail: { kind: "external", isRepeatable: true, act: plantedBug } });
    await handOver([{ eventId: id, consumer: "mail" }], (batch) => handlers.dispatch(batch));
    const failed = on.scope.lines.filter(({ event }) => event === "delivery.failed");
    expect(failed).toMatchObject([{ error: "TypeError", stack: expect.stringContaining("throwPlanted") }]);
    expect((await deliveriesOf(id)).find(({ consumer }) => consumer === "mail")?.last_error).toBe(
      "TypeError",
    );
  });

  test("a batch that the queue gave up while D1 does not answer", async () => {
    const on = bench();
    const database = { read: plantedBug, build: on.database.build };
    const handlers = dispatcher({ ...on, database: database as never }, {});
    const body = { eventId: newId(), consumer: "mail" };
    const { retried } = await handOver([body], (batch) => handlers.takeBack(batch));
    expect(retried).toEqual([10]);
    expect(on.scope.lines).toMatchObject([{ event: "dispatch.unavailable", error: "TypeError" }]);
  });
});

describe("what goes on without it", () => {
  test("a probe of /readyz", async () => {
    const kv = { get: throwPlanted } as unknown as KVNamespace;
    await sendCounted(new Request("https://meridian.example/readyz"), { USER_CACHE: kv });
    expectLogged("health.failed", { dependency: "kv" });
  });

  test("a gauge", async () => {
    const health = async () => ({ version: "v1", status: "ok", checks: [] }) as const;
    const on = { health, backlog: plantedBug, clock: () => 0, log: createLogger("info") };
    expect(await readGauges(on)).toEqual([]);
    expectLogged("metrics.backlog_unread");
  });

  test("a client's object", async () => {
    const log = createLogger("info");
    const object = { ask: plantedBug, revoke: plantedBug };
    const { limiter } = newIsolate({ objectOf: () => object, log });
    expect(await limiter.admit({ clientKey: "user:1", policy: DEFAULT_POLICY })).toMatchObject({
      decidedBy: "isolate",
    });
    expectLogged("limiter.object_failed");
  });

  test("the burst shield", async () => {
    const broken = { limit: plantedBug };
    const shield = shieldOf({ ASK_SHIELD: broken, STRANGER_SHIELD: broken }, createLogger("info"));
    expect(await shield("user:1")).toBe(true);
    expectLogged("limiter.shield_failed");
  });

  test("a refund of an attempt", async () => {
    let asks = 0;
    const ask = async () => {
      asks += 1;
      if (asks > 1) throwPlanted();
      return { granted: 1, releaseMs: 0 };
    };
    const budgets = new ExactBudgets({
      objectOf: () => ({ ask, revoke: plantedBug }) as never,
      shield: async () => true,
      policies: authBudgetsOf(configOf(env)),
      ...{ newId, sleep: systemSleep, calls: newCalls(), log: createLogger("info") },
    });
    const charged = await budgets.spend("loginPerAccount", { kind: "account", id: "x" });
    if (!charged.ok) throw new AppError("internal", "was not charged");
    await charged.value.refund();
    expect(logged("limiter.not_refunded")).toMatchObject([
      { error: expect.stringContaining("<- TypeError") },
    ]);
  });
});
