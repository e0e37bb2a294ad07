/** One client for each protocol, with the same methods and the same answers: what parity is measured with. */
import { type Answer, type Call, call } from "./client";

export interface Caller {
  readonly token?: string;
  readonly from: string;
  readonly headers?: Record<string, string>;
}

/** An answer in no protocol's words. */
export interface Said {
  readonly code: string;
  /** In REST's shape; null for a refusal, and for what answers nothing. */
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts on whatever shape came back.
  readonly value: any;
  readonly violations: readonly string[];
  /** What is left of the caller's budget. */
  readonly remaining: number;
  readonly isReplayed: boolean;
  /** Whether it says from which state on the write can be read. */
  readonly hasBookmark: boolean;
  readonly answer: Answer;
}

type Fields = Readonly<Record<string, unknown>>;

export interface Speaker {
  readonly name: string;
  signUp(caller: Caller, input: Fields): Promise<Said>;
  getUser(caller: Caller, id: string): Promise<Said>;
  listUsers(caller: Caller, page: { limit?: number; cursor?: string } & Fields): Promise<Said>;
  updateUser(caller: Caller, id: string, patch: Fields, version?: number): Promise<Said>;
  deleteUser(caller: Caller, id: string, version?: number): Promise<Said>;
  logIn(caller: Caller, input: Fields): Promise<Said>;
  refresh(caller: Caller, refreshToken: string): Promise<Said>;
  logOut(caller: Caller): Promise<Said>;
  placeOrder(caller: Caller, items: readonly Fields[]): Promise<Said>;
  getOrder(caller: Caller, id: string): Promise<Said>;
  listOrders(caller: Caller, page: { limit?: number; cursor?: string } & Fields): Promise<Said>;
  changeStatus(caller: Caller, id: string, status: string, version?: number): Promise<Said>;
}

function optionsOf({ token, from, headers }: Caller, more: Call): Call {
  return {
    from,
    ...(token === undefined ? {} : { token }),
    ...more,
    headers: { ...headers, ...more.headers },
  };
}

function said(answer: Answer, code: string, value: unknown, violations: readonly { code: string }[]): Said {
  return {
    code,
    value,
    violations: violations.map((violation) => violation.code),
    remaining: Number(/r=(\d+)/.exec(answer.headers.get("ratelimit") ?? "")?.[1] ?? Number.NaN),
    isReplayed: answer.headers.get("idempotency-replayed") === "true",
    hasBookmark: answer.headers.has("x-d1-bookmark"),
    answer,
  };
}

function rest(): Speaker {
  const send = async (caller: Caller, path: string, options: Call = {}): Promise<Said> => {
    const answer = await call(path, optionsOf(caller, options));
    const isRefused = answer.status >= 400;
    return said(
      answer,
      isRefused ? answer.json.code : "ok",
      isRefused ? null : answer.json,
      answer.json?.errors ?? [],
    );
  };
  const search = (query: Fields) =>
    new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
  const match = (version?: number): Pick<Call, "headers"> =>
    version === undefined ? {} : { headers: { "If-Match": `"${version}"` } };
  return {
    name: "REST",
    signUp: (caller, json) => send(caller, "/api/users", { json }),
    getUser: (caller, id) => send(caller, `/api/users/${id}`),
    listUsers: (caller, query) => send(caller, `/api/users?${search(query)}`),
    updateUser: (caller, id, json, version) =>
      send(caller, `/api/users/${id}`, { method: "PATCH", json, ...match(version) }),
    deleteUser: (caller, id, version) =>
      send(caller, `/api/users/${id}`, { method: "DELETE", ...match(version) }),
    logIn: (caller, json) => send(caller, "/api/auth/login", { json }),
    refresh: (caller, refreshToken) => send(caller, "/api/auth/refresh", { json: { refreshToken } }),
    logOut: (caller) => send(caller, "/api/auth/logout", { method: "POST" }),
    placeOrder: (caller, items) => send(caller, "/api/orders", { json: { items } }),
    getOrder: (caller, id) => send(caller, `/api/orders/${id}`),
    listOrders: (caller, query) => send(caller, `/api/orders?${search(query)}`),
    changeStatus: (caller, id, status, version) =>
      send(caller, `/api/orders/${id}`, { method: "PATCH", json: { status }, ...match(version) }),
  };
}

const USER = `id name email pendingEmail age role emailVerified profile { bio avatarUrl locale timezone } version
  createdAt updatedAt`;
const ORDER = `id userId status currency totalMinor items { productId sku name unitPriceMinor quantity lineTotalMinor }
  version createdAt updatedAt`;
const PAIR = "accessToken tokenType expiresIn refreshToken";
const page = (node: string) => `{ edges { node { ${node} } } pageInfo { hasNextPage endCursor } }`;

function graphql(): Speaker {
  const send = async (
    caller: Caller,
    query: string,
    variables: Fields,
    shape: (value: never) => unknown,
  ): Promise<Said> => {
    const answer = await call("/graphql", optionsOf(caller, { json: { query, variables } }));
    const [error] = answer.json.errors ?? [];
    if (error !== undefined) return said(answer, error.extensions.code, null, error.extensions.errors ?? []);
    const [value] = Object.values(answer.json.data);
    return said(answer, "ok", shape(value as never), []);
  };
  const lower = (value: Fields, field: string) => ({ ...value, [field]: String(value[field]).toLowerCase() });
  const user = (value: Fields) => lower(value, "role");
  const order = (value: Fields) => lower(value, "status");
  const list =
    (node: (value: Fields) => Fields) =>
    ({
      edges,
      pageInfo,
    }: {
      edges: { node: Fields }[];
      pageInfo: { hasNextPage: boolean; endCursor: string };
    }) => ({
      data: edges.map((edge) => node(edge.node)),
      nextCursor: pageInfo.hasNextPage ? pageInfo.endCursor : null,
    });
  const nothing = () => null;
  const upper = (input: Fields, field: string) =>
    input[field] === undefined ? input : { ...input, [field]: String(input[field]).toUpperCase() };
  const paged = ({ limit, cursor, ...filter }: Fields) => ({ first: limit, after: cursor, filter });
  return {
    name: "GraphQL",
    signUp: (caller, input) =>
      send(caller, `mutation ($input: SignUpInput!) { signUp(input: $input) { ${USER} } }`, { input }, user),
    getUser: (caller, id) => send(caller, `query ($id: ID!) { user(id: $id) { ${USER} } }`, { id }, user),
    listUsers: (caller, query) =>
      send(
        caller,
        `query ($first: Int, $after: String, $filter: UserFilter) { users(first: $first, after: $after, filter: $filter) ${page(USER)} }`,
        paged(upper(query, "role")),
        list(user),
      ),
    updateUser: (caller, id, input, expectedVersion) =>
      send(
        caller,
        `mutation ($id: ID!, $input: UpdateUserInput!, $expectedVersion: Int) { updateUser(id: $id, input: $input, expectedVersion: $expectedVersion) { ${USER} } }`,
        { id, input: upper(input, "role"), expectedVersion },
        user,
      ),
    deleteUser: (caller, id, expectedVersion) =>
      send(
        caller,
        "mutation ($id: ID!, $expectedVersion: Int) { deleteUser(id: $id, expectedVersion: $expectedVersion) }",
        { id, expectedVersion },
        nothing,
      ),
    logIn: (caller, input) =>
      send(
        caller,
        `mutation ($input: LogInInput!) { logIn(input: $input) { ${PAIR} user { ${USER} } } }`,
        { input },
        (value: { user: Fields }) => ({ ...value, user: user(value.user) }),
      ),
    refresh: (caller, refreshToken) =>
      send(
        caller,
        `mutation ($refreshToken: String!) { refreshSession(refreshToken: $refreshToken) { ${PAIR} } }`,
        { refreshToken },
        (value) => value,
      ),
    logOut: (caller) => send(caller, "mutation { logOut }", {}, nothing),
    placeOrder: (caller, items) =>
      send(
        caller,
        `mutation ($input: PlaceOrderInput!) { placeOrder(input: $input) { ${ORDER} } }`,
        { input: { items } },
        order,
      ),
    getOrder: (caller, id) => send(caller, `query ($id: ID!) { order(id: $id) { ${ORDER} } }`, { id }, order),
    listOrders: (caller, query) =>
      send(
        caller,
        `query ($first: Int, $after: String, $filter: OrderFilter) { orders(first: $first, after: $after, filter: $filter) ${page(ORDER)} }`,
        paged(upper(query, "status")),
        list(order),
      ),
    changeStatus: (caller, id, status, expectedVersion) =>
      send(
        caller,
        `mutation ($id: ID!, $status: OrderStatus!, $expectedVersion: Int) { changeOrderStatus(id: $id, status: $status, expectedVersion: $expectedVersion) { ${ORDER} } }`,
        { id, status: status.toUpperCase(), expectedVersion },
        order,
      ),
  };
}

const PROFILE = { bio: null, avatarUrl: null, locale: null, timezone: null };

function connect(): Speaker {
  const send = async (
    caller: Caller,
    method: string,
    json: Fields,
    shape: (value: never) => unknown,
  ): Promise<Said> => {
    const answer = await call(`/rpc/${method}`, optionsOf(caller, { json }));
    if (answer.status >= 400) {
      const detail = answer.json.details?.[0]?.debug;
      return said(answer, detail?.code ?? answer.json.code, null, detail?.violations ?? []);
    }
    return said(answer, "ok", shape(answer.json as never), []);
  };
  const time = (value: unknown) => new Date(String(value)).toISOString();
  const user = (value: Fields): Fields => ({
    pendingEmail: null,
    age: null,
    ...value,
    role: String(value.role).replace("ROLE_", "").toLowerCase(),
    profile: { ...PROFILE, ...(value.profile as Fields) },
    createdAt: time(value.createdAt),
    updatedAt: time(value.updatedAt),
  });
  const order = (value: Fields): Fields => ({
    userId: null,
    ...value,
    status: String(value.status).replace("ORDER_STATUS_", "").toLowerCase(),
    totalMinor: Number(value.totalMinor),
    items: (value.items as Fields[]).map((item) => ({
      ...item,
      unitPriceMinor: Number(item.unitPriceMinor),
      lineTotalMinor: Number(item.lineTotalMinor),
    })),
    createdAt: time(value.createdAt),
    updatedAt: time(value.updatedAt),
  });
  const list =
    (field: "users" | "orders", node: (value: Fields) => Fields) =>
    (value: { users: Fields[]; orders: Fields[]; nextPageToken: string }) => ({
      data: value[field].map(node),
      nextCursor: value.nextPageToken === "" ? null : value.nextPageToken,
    });
  const paged = ({ limit, cursor, ...filter }: Fields) => ({ pageSize: limit, pageToken: cursor, ...filter });
  const prefixed = (input: Fields, field: string, prefix: string) =>
    input[field] === undefined
      ? input
      : { ...input, [field]: `${prefix}_${String(input[field]).toUpperCase()}` };
  const nothing = () => null;
  const users = "users.v1.UserService";
  const auth = "auth.v1.AuthService";
  const orders = "orders.v1.OrderService";
  const ofUser = (value: { user: Fields }) => user(value.user);
  const ofOrder = (value: { order: Fields }) => order(value.order);
  return {
    name: "Connect",
    signUp: (caller, input) => send(caller, `${users}/CreateUser`, input, ofUser),
    getUser: (caller, id) => send(caller, `${users}/GetUser`, { id }, ofUser),
    listUsers: (caller, query) =>
      send(caller, `${users}/ListUsers`, paged(prefixed(query, "role", "ROLE")), list("users", user)),
    updateUser: (caller, id, patch, expectedVersion) =>
      send(
        caller,
        `${users}/UpdateUser`,
        { id, ...prefixed(patch, "role", "ROLE"), expectedVersion },
        ofUser,
      ),
    deleteUser: (caller, id, expectedVersion) =>
      send(caller, `${users}/DeleteUser`, { id, expectedVersion }, nothing),
    logIn: (caller, input) =>
      send(caller, `${auth}/LogIn`, input, (value: { user: Fields }) => ({
        ...value,
        user: user(value.user),
      })),
    refresh: (caller, refreshToken) =>
      send(caller, `${auth}/RefreshSession`, { refreshToken }, (value) => value),
    logOut: (caller) => send(caller, `${auth}/LogOut`, {}, nothing),
    placeOrder: (caller, items) => send(caller, `${orders}/PlaceOrder`, { items }, ofOrder),
    getOrder: (caller, id) => send(caller, `${orders}/GetOrder`, { id }, ofOrder),
    listOrders: (caller, query) =>
      send(
        caller,
        `${orders}/ListOrders`,
        paged(prefixed(query, "status", "ORDER_STATUS")),
        list("orders", order),
      ),
    changeStatus: (caller, id, status, expectedVersion) =>
      send(
        caller,
        `${orders}/ChangeOrderStatus`,
        { id, status: `ORDER_STATUS_${status.toUpperCase()}`, expectedVersion },
        ofOrder,
      ),
  };
}

export const SPEAKERS: readonly Speaker[] = [rest(), graphql(), connect()];

/** A value without what differs each time: ids, times, tokens, cursors, invented addresses. */
export function scrubbed(value: unknown): unknown {
  const text = JSON.stringify(value) ?? "null";
  return JSON.parse(
    text
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<id>")
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
      .replace(/[a-z]+\d+@example\.com/g, "<email>")
      .replace(/"(accessToken|refreshToken|nextCursor|sku)":"[^"]+"/g, '"$1":"<$1>"'),
    (_key, member: unknown) => sorted(member),
  );
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
