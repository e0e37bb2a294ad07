import { env, exports } from "cloudflare:workers";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { describe, expect, test } from "vitest";
import { AuthService } from "../../../src/gateway/rpc/gen/auth/v1/auth_service_pb";
import { ErrorDetailSchema } from "../../../src/gateway/rpc/gen/errors/v1/error_detail_pb";
import { OrderStatus } from "../../../src/gateway/rpc/gen/orders/v1/order_pb";
import { OrderService } from "../../../src/gateway/rpc/gen/orders/v1/order_service_pb";
import { GetUserRequestSchema, UserService } from "../../../src/gateway/rpc/gen/users/v1/user_service_pb";
import { encodeErrorDetail, errorDetailOf } from "../../../src/gateway/rpc/wire-format";
import { violatedPolicies } from "../../../src/platform/limiter/rate-limit-headers";
import { type Account, createAccount, createAdmin, freshEmail, PASSWORD } from "../../support/accounts";
import { call, freshAddress } from "../../support/client";

interface As {
  readonly token?: string;
  readonly from?: string;
}

/** The Worker itself instead of the network. */
function fetchAs({ token, from = freshAddress() }: As): typeof fetch {
  return async (input, init) => {
    // Browsers know a redirect mode that workerd does not.
    const request = new Request(input as string, { ...(init as RequestInit), redirect: "manual" });
    request.headers.set("CF-Connecting-IP", from);
    if (token !== undefined) request.headers.set("Authorization", `Bearer ${token}`);
    return await exports.default.fetch(request);
  };
}

const BASE = { baseUrl: "https://meridian.example/rpc" };

const TRANSPORTS: readonly (readonly [string, (as?: As) => Transport])[] = [
  ["Connect, JSON", (as = {}) => createConnectTransport({ ...BASE, fetch: fetchAs(as) })],
  [
    "Connect, binary, reads by GET",
    (as = {}) =>
      createConnectTransport({ ...BASE, fetch: fetchAs(as), useBinaryFormat: true, useHttpGet: true }),
  ],
  ["gRPC-Web", (as = {}) => createGrpcWebTransport({ ...BASE, fetch: fetchAs(as) })],
];

async function errorOf(promise: Promise<unknown>): Promise<ConnectError> {
  return await promise.then(
    () => expect.fail("was not refused"),
    (error) => ConnectError.from(error),
  );
}

const detailOf = (error: ConnectError) => error.findDetails(ErrorDetailSchema)[0];

async function placeOrder(ada: Account, admin: Account): Promise<{ id: string }> {
  const product = { sku: freshEmail(), name: "Cards", priceMinor: 5_000_000_000, currency: "EUR", stock: 9 };
  const { id } = (await admin.call("/api/products", { json: product })).json;
  return (await ada.call("/api/orders", { json: { items: [{ productId: id, quantity: 1 }] } })).json;
}

describe.each(TRANSPORTS)("a generated client over %s", (_name, transportAs) => {
  test("signs up, logs in, reads, changes, lists and deletes", async () => {
    const from = freshAddress();
    const email = freshEmail();
    const users = createClient(UserService, transportAs({ from }));
    const created = await users.createUser({ name: "Alan Turing", email, password: PASSWORD, age: 41 });
    const id = created.user?.id ?? "";
    const pair = await createClient(AuthService, transportAs({ from })).logIn({ email, password: PASSWORD });
    expect(pair.user?.id).toBe(id);

    const own = createClient(UserService, transportAs({ token: pair.accessToken }));
    expect((await own.getUser({ id })).user).toMatchObject({ name: "Alan Turing", age: 41, version: 1 });
    const verified = await createClient(AuthService, transportAs({ token: pair.accessToken })).verifyToken(
      {},
    );
    expect(verified.userId).toBe(id);
    const cleared = await own.updateUser({
      id,
      name: "A. M. Turing",
      updateMask: { paths: ["name", "age"] },
    });
    expect(cleared.user).toMatchObject({ name: "A. M. Turing", version: 2 });
    expect(cleared.user?.age).toBeUndefined();
    const admin = await createAdmin();
    const list = await createClient(UserService, transportAs({ token: admin.token })).listUsers({
      pageSize: 1,
    });
    expect([list.users.length, list.nextPageToken !== ""]).toEqual([1, true]);
    await own.deleteUser({ id, expectedVersion: 2 });
    expect((await errorOf(own.getUser({ id }))).code).toBe(Code.Unauthenticated);
  });

  test("learns the contract's code and what is wrong with each field", async () => {
    const users = createClient(UserService, transportAs());
    const invalid = await errorOf(users.createUser({ name: "Al", email: "nowhere" }));
    expect([invalid.code, detailOf(invalid)?.code]).toEqual([Code.InvalidArgument, "validation_failed"]);
    expect(detailOf(invalid)?.violations.map(({ pointer }) => pointer)).toContain("#/name");
    const ada = await createAccount();
    const taken = await errorOf(users.createUser({ name: "Alan Turing", email: ada.email }));
    expect([taken.code, detailOf(taken)?.code]).toEqual([Code.AlreadyExists, "email_taken"]);
  });

  test("learns of refusals before the handler in its own protocol", async () => {
    const forged = createClient(UserService, transportAs({ token: "not.a.token" }));
    const bad = await errorOf(forged.getUser({ id: "x" }));
    expect([bad.code, detailOf(bad)?.code]).toEqual([Code.Unauthenticated, "unauthenticated"]);
    const from = freshAddress();
    for (let spent = 0; spent < 100; spent += 1) await call("/api/products/none", { from });
    const over = await errorOf(createClient(UserService, transportAs({ from })).getUser({ id: "x" }));
    expect([over.code, detailOf(over)?.code]).toEqual([Code.ResourceExhausted, "rate_limited"]);
    expect(detailOf(over)?.retryAfterSeconds).toBeGreaterThan(0);
    expect(detailOf(over)?.violatedPolicies).toEqual(["default"]);
    const large = await errorOf(
      createClient(UserService, transportAs()).createUser({ name: "x".repeat(300_000) }),
    );
    expect([large.code, detailOf(large)?.code]).toEqual([Code.InvalidArgument, "payload_too_large"]);
  });

  test("places orders of amounts beyond 32 bits, and moves them on", async () => {
    const [ada, admin] = [await createAccount(), await createAdmin()];
    const { id } = await placeOrder(ada, admin);
    const orders = createClient(OrderService, transportAs({ token: ada.token }));
    expect((await orders.getOrder({ id })).order?.totalMinor).toBe(5_000_000_000n);
    const forbidden = await errorOf(orders.changeOrderStatus({ id, status: OrderStatus.SHIPPED }));
    expect([forbidden.code, detailOf(forbidden)?.code]).toEqual([Code.PermissionDenied, "forbidden"]);
    const done = await orders.changeOrderStatus({ id, status: OrderStatus.CANCELLED, expectedVersion: 1 });
    expect(done.order?.status).toBe(OrderStatus.CANCELLED);
    const { orders: listed } = await orders.listOrders({ status: OrderStatus.CANCELLED });
    expect(listed.map((order) => order.id)).toEqual([id]);
  });

  test("watches an order until it can change no more", async () => {
    const [ada, admin] = [await createAccount(), await createAdmin()];
    const { id } = await placeOrder(ada, admin);
    const seen: (OrderStatus | undefined)[] = [];
    for await (const { order } of createClient(OrderService, transportAs({ token: ada.token })).watchOrder({
      id,
    })) {
      seen.push(order?.status);
      if (seen.length === 1)
        await ada.call(`/api/orders/${id}`, { method: "PATCH", json: { status: "cancelled" } });
    }
    expect(seen).toEqual([OrderStatus.PENDING, OrderStatus.CANCELLED]);
  });

  test("is not shown another's order by watching it", async () => {
    const [ada, admin] = [await createAccount(), await createAdmin()];
    const { id } = await placeOrder(admin, admin);
    const orders = createClient(OrderService, transportAs({ token: ada.token }));
    const watch = async () => {
      for await (const _ of orders.watchOrder({ id })) expect.fail("showed it");
    };
    expect((await errorOf(watch())).code).toBe(Code.NotFound);
  });

  test("is told when its deadline has passed", async () => {
    const [ada, admin] = [await createAccount(), await createAdmin()];
    const { id } = await placeOrder(ada, admin);
    const orders = createClient(OrderService, transportAs({ token: ada.token }));
    const watch = async () => {
      for await (const _ of orders.watchOrder({ id }, { timeoutMs: 300 }));
    };
    expect((await errorOf(watch())).code).toBe(Code.DeadlineExceeded);
  });
});

describe("an RPC that is none", () => {
  const GET_USER = "/rpc/users.v1.UserService/GetUser";
  const codeIn = ({ json }: { json: { code: string } }) => json.code;

  test("of native gRPC is told what to use instead", async () => {
    for (const type of ["application/grpc", "application/grpc+proto"]) {
      const answer = await call(GET_USER, { body: "\0\0\0\0\0", headers: { "content-type": type } });
      expect([answer.status, answer.headers.get("grpc-status")]).toEqual([415, "12"]);
      expect(decodeURIComponent(answer.headers.get("grpc-message") ?? "")).toContain("gRPC-Web");
    }
  });

  test("of a method or service that is not there is unimplemented", async () => {
    for (const path of ["/rpc/users.v1.UserService/Nope", "/rpc/nope.v1.Nope/Get", "/rpc/x"]) {
      const answer = await call(path, { json: {} });
      expect([path, answer.status, codeIn(answer)]).toEqual([path, 404, "unimplemented"]);
    }
  });

  test("with a codec that is not spoken here is 415", async () => {
    for (const type of ["text/plain", "application/xml", "application/x-www-form-urlencoded"]) {
      const answer = await call(GET_USER, { body: "{}", headers: { "content-type": type } });
      expect([type, answer.status, codeIn(answer)]).toEqual([type, 415, "invalid_argument"]);
    }
  });

  test("that is compressed is told, with a code, that it must not be", async () => {
    const headers = { "content-type": "application/json", "content-encoding": "gzip" };
    const answer = await call(GET_USER, { body: new Uint8Array([31, 139, 8]), headers });
    expect([answer.status, codeIn(answer), answer.json.details[0].debug.code]).toEqual([
      415,
      "unimplemented",
      "unsupported_media_type",
    ]);
  });

  test("that changes something is not called by GET", async () => {
    const answer = await call("/rpc/users.v1.UserService/DeleteUser?encoding=json&message=%7B%7D");
    expect([answer.status, answer.headers.get("allow"), codeIn(answer)]).toEqual([
      405,
      "POST",
      "unimplemented",
    ]);
  });

  test.each([
    ["broken JSON", "application/json", "{"],
    ["JSON of another shape", "application/json", '{"id": {"$ne": null}}'],
    ["a number beyond 32 bits", "application/json", '{"id": "x", "expectedVersion": 5000000000}'],
    ["bytes that are no message", "application/proto", "\xff\xff\xff"],
  ])("%s is refused as invalid", async (_title, type, body) => {
    const answer = await call("/rpc/users.v1.UserService/DeleteUser", {
      body,
      headers: { "content-type": type },
    });
    expect([answer.status, codeIn(answer)]).toEqual([400, "invalid_argument"]);
    expect(answer.json.details[0].debug.code).toBe("validation_failed");
  });

  test.each([
    ["cut off", [0, 0, 0, 0, 9, 1]],
    ["with flags that nobody defined", [0xfc, 0, 0, 0, 0]],
    ["that claims 4 GiB", [0, 0xff, 0xff, 0xff, 0xff]],
    ["empty", []],
  ])("a frame %s ends the stream with an error, and nothing else", async (_title, bytes) => {
    const { token } = await createAccount();
    const request = (type: string) => ({
      body: Uint8Array.from(bytes),
      token,
      headers: { "content-type": type },
    });
    const connect = await call(
      "/rpc/orders.v1.OrderService/WatchOrder",
      request("application/connect+proto"),
    );
    expect([connect.status, connect.text.includes('"error"')]).toEqual([200, true]);
    expect(connect.text).not.toMatch(/stack|\.ts:/);
    const web = await call(GET_USER, request("application/grpc-web+proto"));
    expect(web.status).toBe(200);
    expect(web.headers.get("grpc-status") ?? web.text).not.toMatch(/^0$|grpc-status: 0/);
  });

  test("whose deadline is none is refused; one that has passed is told so", async () => {
    const { token, id } = await createAccount();
    const never = await call(GET_USER, { json: { id }, token, headers: { "connect-timeout-ms": "soon" } });
    expect([never.status, codeIn(never)]).toEqual([400, "invalid_argument"]);
    const passed = await call(GET_USER, { json: { id }, token, headers: { "connect-timeout-ms": "0" } });
    expect([passed.status, codeIn(passed)]).toEqual([504, "deadline_exceeded"]);
  });

  test("a failure inside is masked", async () => {
    const { token } = await createAdmin();
    await env.DB.prepare("drop table user_profiles").run();
    const answer = await call("/rpc/users.v1.UserService/ListUsers", { json: {}, token });
    expect([answer.status, codeIn(answer)]).toEqual([503, "unavailable"]);
    expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(answer.text).not.toMatch(/no such table|sqlite|D1_ERROR/i);
  });
});

describe("on the wire", () => {
  test("a refusal's detail, written by hand, is what the library reads and writes", () => {
    const detail = errorDetailOf(
      {
        code: "out_of_stock",
        detail: "Gone.",
        violations: [{ pointer: "#/items/0", code: "too_big", message: "Zu groß 🐘" }],
        retryAfterSeconds: 900,
        extensions: {
          products: [{ productId: "p", requested: 300, available: 0 }],
          "violated-policies": [...violatedPolicies("default"), ...violatedPolicies("burst")],
        },
      },
      "request-1",
    );
    expect(detail.violatedPolicies).toEqual(["default", "burst"]);
    const bytes = encodeErrorDetail(detail);
    const read = fromBinary(ErrorDetailSchema, bytes);
    expect(read).toMatchObject(detail);
    expect(toBinary(ErrorDetailSchema, read)).toEqual(bytes);
  });

  test("a read by GET may be repeated by anybody on the way, but is kept by nobody for others", async () => {
    const { token, id } = await createAccount();
    const message = btoa(
      String.fromCharCode(...toBinary(GetUserRequestSchema, create(GetUserRequestSchema, { id }))),
    );
    const path = `/rpc/users.v1.UserService/GetUser?connect=v1&encoding=proto&base64=1&message=${encodeURIComponent(message)}`;
    const answer = await call(path, { token });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/proto"]);
    expect(answer.headers.get("cache-control")).toBe("private, no-cache");
    expect(answer.headers.get("vary")).toContain("Authorization");
    const head = await call(path, { token, method: "HEAD" });
    expect([head.status, head.text, head.headers.get("content-type")]).toEqual([
      200,
      "",
      "application/proto",
    ]);
    const unsafe = await call("/rpc/users.v1.UserService/DeleteUser", { token, method: "HEAD" });
    expect([unsafe.status, unsafe.headers.get("allow")]).toEqual([405, "POST"]);
  });
});
