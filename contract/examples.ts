/** One example for each body, in and out. A test parses each by its schema. */
import { ERROR_MAP } from "../src/gateway/error-map";
import { FRONT_PAGE } from "../src/gateway/http/pages";
import { ERROR_CATALOGUE } from "../src/kernel/errors";
import { QUOTA_EXCEEDED_TYPE } from "../src/platform/limiter/rate-limit-headers";
import { CONTENT_TYPES, expose } from "../src/platform/observability/metrics";
import { METRICS } from "../src/services/operations/metrics/catalogue";
import EVENT_SCHEMAS from "./events/schemas.json";

export const REQUEST_ID = "019a9c1e-c170-7eb9-8387-2f5a4b9c1d38";
export const USER_ID = "019a9c1e-5a00-7c3e-8a51-3f2b6d1c7e90";
const ADMIN_ID = "019a9c1e-4bf0-7b2d-9e40-2e1a5c0b6d8f";
const PRODUCT_ID = "019a9c1e-6b10-7d42-9c10-5e8f7a2b4c61";
const ORDER_ID = "019a9c1e-7c20-7e53-ad21-6f9a8b3c5d72";
const EVENT_ID = "019a9c1e-5a01-7f64-be32-7a0b9c4d6e83";
const SESSION_ID = "019a9c1e-8d30-7a75-8f43-8b1c0d5e7f94";
const WEBHOOK_ID = "019a9c1e-9e40-7b86-9054-9c2d1e6f8a05";
const LETTER_ID = "019a9c1e-af50-7c97-a165-0d3e2f7a9b16";
const TIME = "2026-11-22T09:30:00.000Z";
const LATER = "2026-11-22T09:45:00.000Z";
/** Signed with the key of tests, whose public half is `jsonWebKeySet`. The test of this file shows a new one when claims change. */
const ACCESS_TOKEN =
  "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjIwMjYtMTEtMjItNGYxYTljM2QifQ.eyJzaWQiOiIwMTlhOWMxZS04ZDMwLTdhNzUtOGY0My04YjFjMGQ1ZTdmOTQiLCJyb2xlIjoidXNlciIsImVwb2NoIjoxLCJpc3MiOiJodHRwczovL21lcmlkaWFuLmV4YW1wbGUiLCJhdWQiOiJtZXJpZGlhbiIsInN1YiI6IjAxOWE5YzFlLTVhMDAtN2MzZS04YTUxLTNmMmI2ZDFjN2U5MCIsImp0aSI6IjAxOWE5YzFlLWQyODAtN2VjYS05NDk4LTMwNGI1YzBkMmU0OSIsImlhdCI6MTc5NTMzOTgwMCwiZXhwIjoxNzk1MzQwNzAwfQ.GiqMmKU5uoXbvLuAbsly1jGduVBpl-yQekfk5VhWBhYpB_yx7a0f0OoMVTvDtQDfiqUr3h3b7KuLHfrcFsT45g";

const profile = {
  bio: "Writes notes on engines.",
  avatarUrl: "https://images.example/ada.png",
  locale: "en-GB",
  timezone: "Europe/London",
};
const user = {
  id: USER_ID,
  name: "Ada Lovelace",
  email: "ada@example.com",
  pendingEmail: null,
  age: 36,
  role: "user",
  emailVerified: true,
  profile,
  version: 1,
  createdAt: TIME,
  updatedAt: TIME,
} as const;
const tokenPair = {
  accessToken: ACCESS_TOKEN,
  tokenType: "Bearer",
  expiresIn: 900,
  refreshToken: "mmrwEeHrEpkmpmEaR85PjqP74ILfM5mAHw1W3tFzvKA",
};
const product = {
  id: PRODUCT_ID,
  sku: "TEA-GREEN-100",
  name: "Green tea, 100 g",
  priceMinor: 1_250,
  currency: "EUR",
  stock: 40,
  version: 1,
  createdAt: TIME,
  updatedAt: TIME,
};
const order = {
  id: ORDER_ID,
  userId: USER_ID,
  status: "pending",
  currency: "EUR",
  totalMinor: 2_500,
  items: [
    {
      productId: PRODUCT_ID,
      sku: "TEA-GREEN-100",
      name: "Green tea, 100 g",
      unitPriceMinor: 1_250,
      quantity: 2,
      lineTotalMinor: 2_500,
    },
  ],
  version: 1,
  createdAt: TIME,
  updatedAt: TIME,
};
const event = {
  specversion: "1.0",
  id: EVENT_ID,
  source: "/meridian/users",
  type: "user.created",
  subject: USER_ID,
  time: TIME,
  datacontenttype: "application/json",
  dataschema: "https://api.meridian.example/events/user.created/v1",
  data: { userId: USER_ID, email: "ada@example.com" },
  sequence: "42",
} as const;
const deadLetter = {
  id: LETTER_ID,
  eventId: EVENT_ID,
  type: "user.created",
  consumer: "welcome-mail",
  attempts: 8,
  lastError: "The mail service did not answer.",
  state: "open",
  createdAt: LATER,
};
const webhook = {
  id: WEBHOOK_ID,
  url: "https://hooks.example.com/meridian",
  types: ["user.created", "order.placed"],
  isEnabled: true,
  createdAt: TIME,
};
const limit = {
  client: `user:${USER_ID}`,
  limit: 500,
  windowSeconds: 900,
  isShadow: false,
  source: "override",
  plan: null,
  current: { spent: 12, remaining: 488, resetSeconds: 840, openLeases: 1 },
};

export const EXAMPLES = {
  signUp: {
    name: "Ada Lovelace",
    email: "ada@example.com",
    password: "correct horse battery staple",
    age: 36,
    profile,
  },
  replaceUser: { name: "Ada King", email: "ada@example.com", age: 36, profile },
  patchUser: { name: "Ada King", profile: { bio: null } },
  logIn: { email: "ada@example.com", password: "correct horse battery staple" },
  refresh: { refreshToken: tokenPair.refreshToken },
  forgotPassword: { email: "ada@example.com" },
  resetPassword: {
    token: "rxDSwQw3lQG5IlOfqlm1yyR2TdV8yIbvnPHseAdtitw",
    password: "a better horse with a staple",
  },
  changePassword: {
    currentPassword: "correct horse battery staple",
    newPassword: "a better horse with a staple",
  },
  verifyEmail: { token: "EcFpyTuzFq_aSSRtuEvX6I3XCdpCumQ8IabnXsocwbA" },
  createProduct: {
    sku: "TEA-GREEN-100",
    name: "Green tea, 100 g",
    priceMinor: 1_250,
    currency: "EUR",
    stock: 40,
  },
  patchProduct: { priceMinor: 1_400, stock: 60 },
  placeOrder: { items: [{ productId: PRODUCT_ID, quantity: 2 }] },
  changeOrderStatus: { status: "cancelled" },
  discard: { reason: "The address does not exist." },
  replay: { consumer: "welcome-mail" },
  createWebhook: { url: "https://hooks.example.com/meridian", types: ["user.created", "order.placed"] },
  patchWebhook: { isEnabled: false },
  setLimit: { limit: 500, windowSeconds: 900 },
  user,
  logInAnswer: { ...tokenPair, user },
  tokenPair,
  session: {
    id: SESSION_ID,
    isCurrent: true,
    device: "Firefox on Linux",
    location: "London, GB",
    createdAt: TIME,
    lastSeenAt: LATER,
    expiresAt: "2026-11-29T09:30:00.000Z",
  },
  product,
  order,
  cancelledOrder: { ...order, status: "cancelled", version: 2, updatedAt: LATER },
  orderHistoryEntry: { status: "pending", at: TIME, actor: `user:${USER_ID}` },
  event,
  eventLedger: {
    event,
    committedAt: TIME,
    sentAt: TIME,
    deliveries: [
      {
        consumer: "welcome-mail",
        state: "done",
        attempts: 1,
        lastError: null,
        doneAt: "2026-11-22T09:30:02.000Z",
      },
    ],
  },
  deadLetter,
  replayedLetter: { ...deadLetter, state: "replayed" },
  discardedLetter: { ...deadLetter, state: "discarded" },
  replayReport: { replayed: 17, isComplete: true },
  webhook,
  webhookWithSecret: { ...webhook, secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw1vUzZQm0b3E=" },
  webhookDelivery: {
    id: "019a9c1e-b060-7da8-b276-1e4f3a8b0c27",
    eventId: EVENT_ID,
    type: "user.created",
    attempt: 1,
    outcome: "delivered",
    statusCode: 204,
    error: null,
    durationMs: 83,
    at: LATER,
  },
  webhookTest: { eventId: EVENT_ID },
  limit,
  auditEntry: {
    id: "7",
    at: TIME,
    actor: `user:${ADMIN_ID}`,
    action: "user.update",
    subject: `user:${USER_ID}`,
    details: { fields: ["role"], role: "admin" },
    requestId: REQUEST_ID,
  },
  signupDay: { date: "2026-11-22", count: 128 },
  jsonWebKeySet: {
    keys: [
      {
        kty: "EC",
        crv: "P-256",
        kid: "2026-11-22-4f1a9c3d",
        x: "tEtkkbrm5EWmQnwVYAhQVpgUyq3r8R2U5pggoFg8nOI",
        y: "WVZynsq0caJsBOrs4nQtQlvUrDIVpoJ7dTqeCgJMqBY",
        alg: "ES256",
        use: "sig",
      },
    ],
  },
  health: {
    version: "6c1ffbc0-6d1d-4a9e-8e6b-0f7e5a1d2c3b",
    status: "ok",
    checks: [
      { name: "d1", isHealthy: true, latencyMs: 4 },
      { name: "kv", isHealthy: true, latencyMs: 2 },
      { name: "limiter", isHealthy: true, latencyMs: 3 },
      { name: "outbox", isHealthy: true, latencyMs: 4 },
    ],
  },
  healthDown: {
    version: "6c1ffbc0-6d1d-4a9e-8e6b-0f7e5a1d2c3b",
    status: "down",
    checks: [
      { name: "d1", isHealthy: false, latencyMs: 2_000 },
      { name: "kv", isHealthy: true, latencyMs: 2 },
      { name: "limiter", isHealthy: true, latencyMs: 3 },
      { name: "outbox", isHealthy: false, latencyMs: 2_000 },
    ],
  },
  liveness: { status: "ok" },
  explanation: {
    code: "out_of_stock",
    title: ERROR_CATALOGUE.out_of_stock.title,
    status: ERROR_MAP.out_of_stock.http,
    explanation: ERROR_CATALOGUE.out_of_stock.explanation,
  },
  jsonSchema: EVENT_SCHEMAS["user.created/v1"],
  frontPage: FRONT_PAGE,
} as const;
export type ExampleName = keyof typeof EXAMPLES;

const SHOWN_METRICS = { signups_total: METRICS.signups_total, dependency_up: METRICS.dependency_up };

/** The position in a list of products after `product`, sealed under the `DATA_KEY` of tests. */
export const CURSOR =
  "yjs6c_4jBfNka3fqpdP-qnsia2V5IjoxNzk1MzM5ODAwMDAwLCJpZCI6IjAxOWE5YzFlLTZiMTAtN2Q0Mi05YzEwLTVlOGY3YTJiNGM2MSIsImJvb2ttYXJrIjoiMDAwMDAwMmEtMDAwMDAwMDEtMDAwMDRlMmItN2YxYzlkM2I1YThlNGY2MGExYjJjM2Q0ZTVmNjA3MTgifQ";

/** Two metrics, rendered by the code that answers a scrape, by media type. */
export const METRICS_EXAMPLES: Readonly<Record<string, string>> = Object.fromEntries(
  (["text", "openmetrics"] as const).map((format) => [
    CONTENT_TYPES[format].replace(/;.*/, ""),
    expose(
      SHOWN_METRICS,
      new Map([["signups_total", 128]]),
      [{ name: "dependency_up", labels: { dependency: "d1" }, value: 1 }],
      format,
    ),
  ]),
);

/** Extensions of the problems that carry some. */
export const PROBLEM_EXTENSIONS: Readonly<Record<string, object>> = {
  validation_failed: {
    errors: [{ pointer: "#/name", code: "too_short", message: "Must have at least 3 characters." }],
  },
  out_of_stock: { products: [{ productId: PRODUCT_ID, requested: 3, available: 2 }] },
  rate_limited: {
    "violated-policies": [{ type: QUOTA_EXCEEDED_TYPE, policy: "default" }],
  },
};
