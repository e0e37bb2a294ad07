/** Every endpoint, a row or more each. A new endpoint is a new row; the test fails until it is there. */
import { newId } from "../../../src/platform/clock";
import { createLoggedInAccount, freshEmail, PASSWORD } from "../accounts";
import { sendCounted } from "../counted-app";
import { METRICS_AUTHORIZATION } from "../metrics";
import { storeUser } from "../stored-user";
import { FOREIGN_ROWS } from "./foreign-rows";
import { PROTOCOL_ROWS } from "./protocol-rows";
import {
  asAdmin,
  asLoggedIn,
  asUser,
  type BudgetRow,
  bearer,
  storeCachedUser,
  storeDeadLetter,
  storeOneTimeToken,
  storeProduct,
  stranger,
} from "./stage";

const OPERATIONS: readonly BudgetRow[] = [
  ...["/", "/healthz", "/readyz", "/.well-known/jwks.json"].map(
    (path): BudgetRow => ({
      endpoint: `GET ${path}`,
      status: 200,
      scene: async () => ({ client: stranger(), ask: () => ({ path }) }),
    }),
  ),
  {
    endpoint: "GET /metrics",
    status: 200,
    scene: async () => ({
      client: stranger(),
      ask: () => ({ path: "/metrics", headers: { Authorization: METRICS_AUTHORIZATION } }),
    }),
  },
  ...["/verify-email", "/reset-password"].map(
    (path): BudgetRow => ({
      endpoint: `GET ${path}`,
      status: 200,
      scene: async () => ({ client: stranger(), ask: () => ({ path: `${path}?token=a` }) }),
    }),
  ),
  {
    endpoint: "GET /problems/:code",
    status: 200,
    scene: async () => ({ client: stranger(), ask: () => ({ path: "/problems/not_found" }) }),
  },
];

const SCHEMAS: readonly BudgetRow[] = [
  {
    endpoint: "GET /events/:type/:version{v[1-9][0-9]*}",
    status: 200,
    scene: async () => ({ client: stranger(), ask: () => ({ path: "/events/user.created/v1" }) }),
  },
];

const USERS: readonly BudgetRow[] = [
  {
    endpoint: "POST /api/users",
    status: 201,
    scene: async () => ({
      client: stranger(),
      ask: () => ({ path: "/api/users", json: { name: "Ada Lovelace", email: freshEmail() } }),
    }),
  },
  {
    endpoint: "POST /api/users",
    variant: "with an `Idempotency-Key`",
    status: 201,
    scene: async () => ({
      client: stranger(),
      ask: () => ({
        path: "/api/users",
        headers: { "Idempotency-Key": newId() },
        json: { name: "Ada Lovelace", email: freshEmail() },
      }),
    }),
  },
  {
    endpoint: "POST /api/users",
    variant: "refused: the address is taken",
    status: 409,
    scene: async () => {
      const { email } = await storeUser();
      const ask = () => ({ path: "/api/users", json: { name: "Ada Lovelace", email } });
      return { client: stranger(), ask };
    },
  },
  {
    endpoint: "GET /api/users",
    status: 200,
    scene: () => asAdmin(() => ({ path: "/api/users?limit=20" })),
  },
  { endpoint: "GET /api/users/me", status: 200, scene: () => asUser(() => ({ path: "/api/users/me" })) },
  {
    endpoint: "GET /api/users/:id",
    status: 200,
    scene: () => asUser(({ id }) => ({ path: `/api/users/${id}` })),
  },
  {
    endpoint: "GET /api/users/:id",
    variant: "known to KV, not to this isolate",
    status: 200,
    scene: () => asAdmin(async () => ({ path: `/api/users/${(await storeCachedUser()).id}` })),
  },
  {
    endpoint: "GET /api/users/:id",
    variant: "`If-None-Match`",
    status: 304,
    scene: () => asUser(({ id }) => ({ path: `/api/users/${id}`, headers: { "If-None-Match": '"1"' } })),
  },
  {
    endpoint: "GET /api/users/:id",
    variant: "behind the presented bookmark",
    status: 200,
    scene: () =>
      asUser(({ id }) => ({
        path: `/api/users/${id}`,
        headers: { "X-D1-Bookmark": `ffffffff-ffffffff-ffffffff-${"f".repeat(32)}` },
      })),
  },
  {
    endpoint: "GET /api/users/:id",
    variant: "refused: not yours",
    status: 404,
    scene: () => asUser(() => ({ path: `/api/users/${newId()}` })),
  },
  {
    endpoint: "PUT /api/users/:id",
    status: 200,
    scene: () => asUser(({ id, email }) => ({ path: `/api/users/${id}`, json: { name: "Ada King", email } })),
  },
  {
    endpoint: "PATCH /api/users/:id",
    status: 200,
    scene: () => asUser(({ id }) => ({ path: `/api/users/${id}`, json: { name: "Ada King" } })),
  },
  {
    endpoint: "PATCH /api/users/:id",
    variant: "with an `Idempotency-Key`",
    status: 200,
    scene: () =>
      asUser(({ id }) => ({
        path: `/api/users/${id}`,
        json: { name: "Ada King" },
        headers: { "Idempotency-Key": newId() },
      })),
  },
  {
    endpoint: "PATCH /api/users/:id",
    variant: "refused: stale `If-Match`",
    status: 412,
    scene: () =>
      asUser(({ id }) => ({
        path: `/api/users/${id}`,
        json: { name: "Ada King" },
        headers: { "If-Match": '"99"' },
      })),
  },
  {
    endpoint: "PATCH /api/users/:id",
    variant: "of the role",
    status: 200,
    scene: () =>
      asAdmin(async () => ({ path: `/api/users/${(await storeUser()).id}`, json: { role: "admin" } })),
  },
  {
    endpoint: "DELETE /api/users/:id",
    status: 204,
    scene: () => asAdmin(async () => ({ path: `/api/users/${(await storeUser()).id}` })),
  },
];

const AUTH: readonly BudgetRow[] = [
  {
    endpoint: "POST /api/auth/login",
    status: 200,
    scene: async () => {
      const { email } = await createLoggedInAccount();
      return {
        client: stranger(),
        ask: () => ({ path: "/api/auth/login", json: { email, password: PASSWORD } }),
      };
    },
  },
  {
    endpoint: "POST /api/auth/refresh",
    status: 200,
    scene: async () => ({
      client: stranger(),
      ask: async () => {
        const { refreshToken } = await createLoggedInAccount();
        return { path: "/api/auth/refresh", json: { refreshToken } };
      },
    }),
  },
  ...["/api/auth/logout", "/api/auth/logout-all"].map(
    (path): BudgetRow => ({
      endpoint: `POST ${path}`,
      status: 204,
      scene: async () => ({
        client: {},
        ask: async () => ({ path, headers: bearer(await createLoggedInAccount()) }),
      }),
    }),
  ),
  {
    endpoint: "GET /api/auth/sessions",
    status: 200,
    scene: () => asLoggedIn(() => ({ path: "/api/auth/sessions" })),
  },
  {
    endpoint: "DELETE /api/auth/sessions/:id",
    status: 204,
    scene: () =>
      asLoggedIn(async ({ email, token }) => {
        const from = stranger();
        await sendCounted(
          new Request("https://meridian.example/api/auth/login", {
            method: "POST",
            headers: { ...from, "Content-Type": "application/json" },
            body: JSON.stringify({ email, password: PASSWORD }),
          }),
        );
        const { response } = await sendCounted(
          new Request("https://meridian.example/api/auth/sessions", { headers: bearer({ token }) }),
        );
        const { data } = await response.json<{ data: { id: string; isCurrent: boolean }[] }>();
        return { path: `/api/auth/sessions/${data.find(({ isCurrent }) => !isCurrent)?.id}` };
      }),
  },
  {
    endpoint: "POST /api/auth/password/forgot",
    status: 202,
    scene: async () => ({
      client: stranger(),
      ask: async () => ({
        path: "/api/auth/password/forgot",
        json: { email: (await createLoggedInAccount()).email },
      }),
    }),
  },
  {
    endpoint: "POST /api/auth/password/reset",
    status: 204,
    scene: async () => ({
      client: stranger(),
      ask: async () => {
        const token = await storeOneTimeToken(await storeUser(), "password_reset");
        return { path: "/api/auth/password/reset", json: { token, password: PASSWORD } };
      },
    }),
  },
  {
    endpoint: "POST /api/auth/password/change",
    status: 204,
    scene: () =>
      asLoggedIn(() => ({
        path: "/api/auth/password/change",
        json: { currentPassword: PASSWORD, newPassword: PASSWORD },
      })),
  },
  {
    endpoint: "POST /api/auth/email/verify",
    status: 204,
    scene: async () => ({
      client: stranger(),
      ask: async () => {
        const token = await storeOneTimeToken(await storeUser(), "email_verification");
        return { path: "/api/auth/email/verify", json: { token } };
      },
    }),
  },
  {
    endpoint: "POST /api/auth/email/resend",
    status: 202,
    scene: () => asLoggedIn(() => ({ path: "/api/auth/email/resend" })),
  },
];

const PRODUCTS: readonly BudgetRow[] = [
  {
    endpoint: "POST /api/products",
    status: 201,
    scene: () =>
      asAdmin(() => ({
        path: "/api/products",
        json: { sku: newId(), name: "Lamp", priceMinor: 1_000, currency: "EUR", stock: 5 },
      })),
  },
  { endpoint: "GET /api/products", status: 200, scene: () => asUser(() => ({ path: "/api/products" })) },
  {
    endpoint: "GET /api/products/:id",
    status: 200,
    scene: () => asUser(async () => ({ path: `/api/products/${await storeProduct()}` })),
  },
  {
    endpoint: "PATCH /api/products/:id",
    status: 200,
    scene: () => asAdmin(async () => ({ path: `/api/products/${await storeProduct()}`, json: { stock: 7 } })),
  },
  {
    endpoint: "DELETE /api/products/:id",
    status: 204,
    scene: () => asAdmin(async () => ({ path: `/api/products/${await storeProduct()}` })),
  },
];

/** Places one, and answers its path. */
async function placeOrder(user: { readonly token: string }): Promise<string> {
  const { response } = await sendCounted(
    new Request("https://meridian.example/api/orders", {
      method: "POST",
      headers: { ...bearer(user), "Content-Type": "application/json" },
      body: JSON.stringify(await oneLamp()),
    }),
  );
  return `/api/orders/${(await response.json<{ id: string }>()).id}`;
}

async function oneLamp(): Promise<unknown> {
  return { items: [{ productId: await storeProduct(), quantity: 1 }] };
}

const ORDERS: readonly BudgetRow[] = [
  {
    endpoint: "POST /api/orders",
    status: 201,
    scene: () => asUser(async () => ({ path: "/api/orders", json: await oneLamp() })),
  },
  {
    endpoint: "POST /api/orders",
    variant: "with an `Idempotency-Key`",
    status: 201,
    scene: () =>
      asUser(async () => ({
        path: "/api/orders",
        json: await oneLamp(),
        headers: { "Idempotency-Key": newId() },
      })),
  },
  { endpoint: "GET /api/orders", status: 200, scene: () => asUser(() => ({ path: "/api/orders" })) },
  {
    endpoint: "GET /api/orders/:id",
    status: 200,
    scene: () => asUser(async (user) => ({ path: await placeOrder(user) })),
  },
  {
    endpoint: "GET /api/orders/:id/history",
    status: 200,
    scene: () => asUser(async (user) => ({ path: `${await placeOrder(user)}/history` })),
  },
  {
    endpoint: "PATCH /api/orders/:id",
    status: 200,
    scene: () => asUser(async (user) => ({ path: await placeOrder(user), json: { status: "cancelled" } })),
  },
];

const EVENTS: readonly BudgetRow[] = [
  { endpoint: "GET /api/events", status: 200, scene: () => asAdmin(() => ({ path: "/api/events" })) },
  {
    endpoint: "GET /api/events/:id",
    status: 200,
    scene: () => asAdmin(async () => ({ path: `/api/events/${(await storeDeadLetter()).eventId}` })),
  },
  {
    endpoint: "GET /api/events/dead-letters",
    status: 200,
    scene: () => asAdmin(() => ({ path: "/api/events/dead-letters" })),
  },
  {
    endpoint: "POST /api/events/dead-letters/:id/replay",
    status: 202,
    scene: () =>
      asAdmin(async () => ({ path: `/api/events/dead-letters/${(await storeDeadLetter()).id}/replay` })),
  },
  {
    endpoint: "POST /api/events/dead-letters/:id/discard",
    status: 200,
    scene: () =>
      asAdmin(async () => ({
        path: `/api/events/dead-letters/${(await storeDeadLetter()).id}/discard`,
        json: { reason: "A test of costs." },
      })),
  },
  {
    endpoint: "POST /api/events/replay",
    status: 202,
    scene: () =>
      asAdmin(() => ({ path: "/api/events/replay", json: { type: "user.created", consumer: "analytics" } })),
  },
  { endpoint: "GET /api/audit", status: 200, scene: () => asAdmin(() => ({ path: "/api/audit" })) },
  {
    endpoint: "GET /api/analytics/signups",
    status: 200,
    scene: () => asAdmin(() => ({ path: "/api/analytics/signups?from=2026-11-01&to=2026-11-22" })),
  },
];

/** Makes one, and answers its path. */
async function createWebhook(admin: { readonly token: string }): Promise<string> {
  const { response } = await sendCounted(
    new Request("https://meridian.example/api/webhooks", {
      method: "POST",
      headers: { ...bearer(admin), "Content-Type": "application/json" },
      body: JSON.stringify(WEBHOOK),
    }),
  );
  return `/api/webhooks/${(await response.json<{ id: string }>()).id}`;
}

const WEBHOOK = { url: "http://127.0.0.1:9/meridian", types: ["*"] };

const WEBHOOKS: readonly BudgetRow[] = [
  {
    endpoint: "POST /api/webhooks",
    status: 201,
    scene: () => asAdmin(() => ({ path: "/api/webhooks", json: WEBHOOK })),
  },
  { endpoint: "GET /api/webhooks", status: 200, scene: () => asAdmin(() => ({ path: "/api/webhooks" })) },
  {
    endpoint: "GET /api/webhooks/:id",
    status: 200,
    scene: () => asAdmin(async (admin) => ({ path: await createWebhook(admin) })),
  },
  {
    endpoint: "PATCH /api/webhooks/:id",
    status: 200,
    scene: () =>
      asAdmin(async (admin) => ({ path: await createWebhook(admin), json: { types: ["user.created"] } })),
  },
  {
    endpoint: "DELETE /api/webhooks/:id",
    status: 204,
    scene: () => asAdmin(async (admin) => ({ path: await createWebhook(admin) })),
  },
  {
    endpoint: "POST /api/webhooks/:id/rotate-secret",
    status: 200,
    scene: () => asAdmin(async (admin) => ({ path: `${await createWebhook(admin)}/rotate-secret` })),
  },
  {
    endpoint: "POST /api/webhooks/:id/test",
    status: 202,
    scene: () => asAdmin(async (admin) => ({ path: `${await createWebhook(admin)}/test` })),
  },
  {
    endpoint: "GET /api/webhooks/:id/deliveries",
    status: 200,
    scene: () => asAdmin(async (admin) => ({ path: `${await createWebhook(admin)}/deliveries` })),
  },
  {
    endpoint: "PATCH /api/users/:id",
    variant: "a webhook wants its event",
    status: 200,
    scene: () => asUser(({ id }) => ({ path: `/api/users/${id}`, json: { name: "Ada King" } })),
  },
];

const LIMITS: readonly BudgetRow[] = [
  {
    endpoint: "GET /api/limits/:client",
    status: 200,
    scene: () => asAdmin(async () => ({ path: `/api/limits/user:${(await storeUser()).id}` })),
  },
  {
    endpoint: "PUT /api/limits/:client",
    status: 200,
    scene: () =>
      asAdmin(async () => ({ path: `/api/limits/user:${(await storeUser()).id}`, json: { limit: 500 } })),
  },
  {
    endpoint: "DELETE /api/limits/:client",
    status: 204,
    scene: () => asAdmin(async () => ({ path: `/api/limits/user:${(await storeUser()).id}` })),
  },
];

export const BUDGET_ROWS: readonly BudgetRow[] = [
  ...OPERATIONS,
  ...SCHEMAS,
  ...USERS,
  ...AUTH,
  ...PRODUCTS,
  ...ORDERS,
  ...EVENTS,
  ...LIMITS,
  ...PROTOCOL_ROWS,
  ...FOREIGN_ROWS,
  // Last, for from the first of them on there is an endpoint that wants every event.
  ...WEBHOOKS,
];
