/**
 * Connect and gRPC-Web. Loaded by the first call to it; the handlers are made once and hold no state of a request.
 * Source: connectrpc.com/docs/protocol
 */
import { type DescService, type Message, toBinary, toJson } from "@bufbuild/protobuf";
import {
  createContextValues,
  createServiceImplSpec,
  type Interceptor,
  type ServiceImpl,
} from "@connectrpc/connect";
import {
  createUniversalServiceHandlers,
  type UniversalHandler,
  universalServerRequestFromFetch,
  universalServerResponseToFetch,
} from "@connectrpc/connect/protocol";
import { createHandlerFactory as connect } from "@connectrpc/connect/protocol-connect";
import { createHandlerFactory as grpcWeb } from "@connectrpc/connect/protocol-grpc-web";
import type { Context } from "hono";
import { AppError, refuse, refuseNotFound } from "../../kernel/errors";
import { RequestCall } from "../request-call";
import type { GatewayEnv } from "../request-context";
import { authService } from "./auth-service";
import { AuthService } from "./gen/auth/v1/auth_service_pb";
import { OrderService } from "./gen/orders/v1/order_service_pb";
import { UserService } from "./gen/users/v1/user_service_pb";
import { orderService } from "./order-service";
import { PAGE_NAMES } from "./page-request";
import { refusedResponse } from "./refused-response";
import { CALL, shownError } from "./rpc-call";
import { userService } from "./user-service";

const MESSAGE_BYTES_MAX = 256 * 1024;
/** The longest that a client may ask to wait: streams end by themselves before that. */
const TIMEOUT_MAX_MS = 600_000;

/** Failures and bugs are masked, and the library's own errors get a code, whichever method threw. */
const masking: Interceptor = (next) => async (request) => {
  const call = request.contextValues.get(CALL);
  if (call === null) throw new TypeError("an RPC was invoked without its call");
  try {
    request.signal.throwIfAborted();
    const response = await beforeDeadline(request.signal, next(request), call);
    const check = encodingCheck(request);
    if (response.stream) return { ...response, message: masked(response.message, check, call) };
    check(response.message);
    return response;
  } catch (error) {
    throw shownError(error, call);
  }
};

type Check = (message: Message) => void;

/**
 * Returns a check that throws `internal` for a message that cannot be encoded. The library finds that out after its
 * interceptors: it would show the client the field with its value, and log nothing. **Cost**: 3 to 7 us.
 */
function encodingCheck({ method, header, url }: Parameters<ReturnType<Interceptor>>[0]): Check {
  const type = header.get("content-type") ?? new URL(url).searchParams.get("encoding") ?? "";
  return (message) => {
    try {
      if (type.includes("json")) toJson(method.output, message, OPTIONS.jsonOptions);
      else toBinary(method.output, message);
    } catch (cause) {
      throw new AppError("internal", `the answer of ${method.name} cannot be encoded`, { cause });
    }
  };
}

/** The messages of a stream. What is thrown for one of them is masked as in a call without a stream. */
async function* masked<T extends Message>(
  messages: AsyncIterable<T>,
  check: Check,
  call: RequestCall,
): AsyncGenerator<T> {
  const iterator = messages[Symbol.asyncIterator]();
  const next = async () => {
    try {
      const step = await iterator.next();
      if (step.done !== true) check(step.value);
      return step;
    } catch (error) {
      throw shownError(error, call);
    }
  };
  try {
    for (let step = await next(); step.done !== true; step = await next()) yield step.value;
  } finally {
    await iterator.return?.();
  }
}

/**
 * **Errors**: `deadline_exceeded`, as the signal's reason. What was begun goes on to its end: a write that was not waited
 * for may have taken place, and its key finds out.
 */
async function beforeDeadline<T>(signal: AbortSignal, work: Promise<T>, call: RequestCall): Promise<T> {
  const { promise: passed, reject } = Promise.withResolvers<never>();
  let isPassed = false;
  const stop = () => {
    isPassed = true;
    reject(signal.reason);
  };
  signal.addEventListener("abort", stop);
  try {
    return await Promise.race([passed, work]);
  } finally {
    signal.removeEventListener("abort", stop);
    // The answer is given by now, but a bug must be logged all the same.
    call.scope.waitUntil(work.catch((error: unknown) => isPassed && shownError(error, call)));
  }
}

const OPTIONS = {
  readMaxBytes: MESSAGE_BYTES_MAX,
  maxTimeoutMs: TIMEOUT_MAX_MS,
  jsonOptions: { alwaysEmitImplicit: true },
  interceptors: [masking],
};

/** As the library's router makes them, which brings gRPC along: a protocol that this platform cannot speak. */
const PROTOCOLS = [grpcWeb(OPTIONS), connect(OPTIONS)];

function handlersOf<T extends DescService>(service: T, implementation: Partial<ServiceImpl<T>>) {
  return createUniversalServiceHandlers(createServiceImplSpec(service, implementation), PROTOCOLS);
}

const HANDLERS: ReadonlyMap<string, UniversalHandler> = new Map(
  [
    ...handlersOf(UserService, userService),
    ...handlersOf(AuthService, authService),
    ...handlersOf(OrderService, orderService),
  ].map((handler) => [handler.requestPath, handler]),
);

export async function answerRpc(c: Context<GatewayEnv>): Promise<Response> {
  const handler = HANDLERS.get(c.req.path.slice("/rpc".length));
  // A client that was told `not_found` would take a method that is not there for a user that is not.
  if (handler === undefined) return refusedResponse(c, refuseNotFound().refusal, "unimplemented");
  c.set("operation", c.req.path);
  if (!handler.allowedMethods.includes(methodOf(c))) {
    const isRead = handler.allowedMethods.includes("GET");
    c.header("Allow", [...handler.allowedMethods, ...(isRead ? ["HEAD"] : [])].join(", "));
    return refusedResponse(c, refuse("method_not_allowed", "This method is called by POST.").refusal);
  }
  if (c.req.method === "POST" && !handler.supportedContentType(c.req.header("content-type") ?? null)) {
    const detail = "Send application/json, application/proto, or what gRPC-Web and Connect's streams use.";
    return refusedResponse(c, refuse("unsupported_media_type", detail).refusal);
  }
  c.set("isRead", handler.method.idempotency === NO_SIDE_EFFECTS || handler.method.name === "WatchOrder");
  const request = universalServerRequestFromFetch(await requestFor(c), {});
  const contextValues = createContextValues().set(CALL, new RequestCall(c, "rpc", PAGE_NAMES));
  const response = universalServerResponseToFetch(await handler({ ...request, contextValues }));
  if (response.headers.get("content-type") === "application/json" && response.status >= 400)
    return await withDetail(c, response);
  for (const [name, value] of response.headers) c.header(name, value);
  return new Response(response.body, { status: response.status, headers: c.res.headers });
}

/**
 * What the library refuses before it calls anything of ours gets a code like all else. Bytes that are no message it calls
 * an internal error; they are the client's.
 */
async function withDetail(c: Context<GatewayEnv>, response: Response): Promise<Response> {
  const text = await response.text();
  const error = JSON.parse(text) as { code: string; message?: string; details?: unknown };
  const message = error.message ?? "";
  const isUnread = error.code === "invalid_argument" || message.startsWith("parse ");
  if (error.details === undefined && isUnread)
    return refusedResponse(c, refuse("validation_failed", message.slice(0, 500)).refusal);
  // The method was found: what the library calls unimplemented then is a compression.
  if (error.details === undefined && error.code === "unimplemented")
    return refusedResponse(c, refuse("unsupported_media_type", message).refusal, error.code);
  for (const [name, value] of response.headers) c.header(name, value);
  return new Response(text, { status: response.status, headers: c.res.headers });
}

/** `MethodOptions.IdempotencyLevel` */
const NO_SIDE_EFFECTS = 1;

/** HEAD is GET, whose body Hono leaves out. */
function methodOf({ req }: Context<GatewayEnv>): string {
  return req.method === "HEAD" ? "GET" : req.method;
}

/** The body may have been read on the way here, to bound it. */
async function requestFor(c: Context<GatewayEnv>): Promise<Request> {
  const { url, headers, signal } = c.req.raw;
  const method = methodOf(c);
  const body = method === "POST" ? { body: await c.req.arrayBuffer() } : {};
  return new Request(url, { method, headers, signal, ...body });
}
